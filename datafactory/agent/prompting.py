"""Fills in the agent's prompt files."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import jinja2


@cache
def _template(name: str) -> jinja2.Template:
    text = (files("datafactory.agent") / "prompts" / f"{name}.md").read_text(encoding="utf-8")
    return jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(text)


def prompt(name: str, **values: Any) -> str:
    """The text of prompts/<name>.md with `values` in place; a value that is missing raises jinja2.UndefinedError."""
    return _template(name).render(**values)
