"""One HTML page from templates, style and scripts of this package, with its data inside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from datafactory.reporting.attempts import Attempts
from datafactory.reporting.packing import pack

if TYPE_CHECKING:
    from jinja2 import Template

SCRIPTS = ("elements.js", "charts.js", "sections.js", "reader.js", "page.js")


def render(facts: Mapping[str, Any], attempts: Attempts, *, live: bool = False) -> str:
    """The page as text. Its policy lets no other script or style run than those of this package, and no request out;
    with `live` it asks the server that it came from for newer numbers, and nobody else."""
    script, style = _script(*(("live.js",) if live else ()), *SCRIPTS), _web("page.css")
    return _template("page.html").render(
        name=facts["funnel"]["name"],
        live=live,
        policy=_policy(script, style, live=live),
        style=style,
        script=script,
        facts=pack(facts),
        index=pack(attempts.index),
        chunks=attempts.chunks,
    )


def listing(runs: Sequence[Mapping[str, Any]]) -> str:
    """The list of runs as a page that keeps itself up to date."""
    script, style = _script("elements.js", "listing.js"), _web("page.css")
    policy = _policy(script, style, live=True)
    return _template("listing.html").render(policy=policy, style=style, script=script, runs=pack(list(runs)))


def _web(name: str) -> str:
    return (files("datafactory.reporting") / "web" / name).read_text()


def _script(*names: str) -> str:
    return '"use strict";\n' + "\n".join(map(_web, names))


def _policy(script: str, style: str, *, live: bool) -> str:
    asks = "connect-src 'self'; " if live else ""
    return (
        f"default-src 'none'; {asks}script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _template(name: str) -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("datafactory.reporting", "web")
    return Environment(loader=loader, undefined=StrictUndefined, autoescape=True).get_template(name)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
