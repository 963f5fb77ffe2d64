"""One HTML page from templates, style and scripts of this package, with its data inside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from datafactory.reporting.attempts import Attempts
from datafactory.reporting.packing import pack

SCRIPTS = ("elements.js", "charts.js", "sections.js", "reader.js", "page.js")


def render(facts: Mapping[str, Any], attempts: Attempts) -> str:
    """The page as text. Its policy lets no other script or style run than those of this package, and no request out."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    web = files("datafactory.reporting") / "web"
    script = '"use strict";\n' + "\n".join((web / name).read_text() for name in SCRIPTS)
    style = (web / "page.css").read_text()
    environment = Environment(
        loader=PackageLoader("datafactory.reporting", "web"), undefined=StrictUndefined, autoescape=True
    )
    return environment.get_template("page.html").render(
        name=facts["funnel"]["name"],
        policy=f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'",
        style=style,
        script=script,
        facts=pack(facts),
        index=pack(attempts.index),
        chunks=attempts.chunks,
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
