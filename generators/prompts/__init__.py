"""Prompts are Markdown files beside this one; `render` fills one in."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment, Template


def render(name: str, /, **values: Any) -> str:
    """The prompt `<name>.md` with `values` in place; a value that it names and does not get is an error."""
    return _environment().get_template(f"{name}.md").render(**values).strip()


@cache
def layouts(package: str) -> dict[str, Template]:
    """The files `layouts/<name>.md` of a package, by name: texts for an agent rather than a teacher."""
    world = _environment()
    folder = resources(package).joinpath("layouts")
    found = sorted(each.name for each in folder.iterdir() if each.name.endswith(".md"))
    return {name[:-3]: world.from_string(folder.joinpath(name).read_text(encoding="utf-8")) for name in found}


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
