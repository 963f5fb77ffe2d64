"""Writes an issue from the failing behaviour alone, as somebody would who met it; no model is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files as resources
from random import Random
from typing import TYPE_CHECKING

from generators.prompts import layouts
from generators.swe.statements.behaviour import Behaviour, behaviour_of
from generators.swe.statements.failing import Failing

if TYPE_CHECKING:
    import jinja2

TITLE = 60
"""Characters of values and messages that a title has room for."""
MOST = 3
"""Behaviours in a statement."""


def write(
    failings: Sequence[Failing], name: str, rng: Random, leaks: Callable[[str], str | None] = lambda text: None
) -> str | None:
    """A title, a blank line and a text in Markdown; None: nothing fails, or nothing can be said that `leaks` lets pass.

    What it does not let pass is left out: a behaviour, then the scripts, then messages of exceptions. `name` is the
    repository's (`toolz`, `owner__name`).
    """
    seed = rng.getrandbits(64)
    behaviours = _distinct([behaviour_of(failing, name) for failing in failings])
    bare = [replace(each, code="") for each in behaviours]
    vague = [replace(each, got=each.got.partition(":")[0], expected="") for each in bare if each.kind == "raised"]
    for tried in (behaviours, bare, vague):
        fit = [each for each in tried if _says(each) and leaks(_text([each], name, seed)) is None]
        kept = ([each for each in fit if each.code] or fit)[:MOST]
        text = _text(kept, name, seed) if kept else ""
        if text and leaks(text) is None:
            return text
    return None


def _says(each: Behaviour) -> bool:
    """Whether anybody could act on it: "it is wrong" alone is no report."""
    return bool(each.code or each.got) or each.kind in ("silent", "hangs")


def _distinct(behaviours: Sequence[Behaviour]) -> list[Behaviour]:
    """One of each kind, those first that can be run, shorter scripts before longer ones."""
    ordered = sorted(behaviours, key=lambda each: (not each.code, len(each.code), each.key, each.got))
    first: dict[tuple[str, str, str], Behaviour] = {}
    for each in ordered:
        first.setdefault(each.key, each)
    return list(first.values())


def _text(behaviours: Sequence[Behaviour], name: str, seed: int) -> str:
    rng = Random(seed)
    layout = _layouts()[rng.choice(sorted(_layouts()))]
    head = behaviours[0]
    long = head.kind in ("value", "raised") and len(head.got + head.expected) > TITLE
    brief = replace(head, got=head.got.partition(":")[0] if head.kind == "raised" else "") if long else head
    title = _phrase(rng, f"title_{_kind(brief)}", brief)
    opening, closing = rng.choice(_phrases("opening")), rng.choice(_phrases("closing"))
    package = name.rpartition("__")[2]
    reports = [
        {
            "code": each.code,
            "got": _phrase(rng, f"got_{_kind(each)}", each),
            "expected": _phrase(rng, f"expected_{_expects(each)}", each),
        }
        for each in behaviours
    ]
    shown = layout.render(
        opening=opening.format(package=package, subject=behaviours[0].subject),
        reports=reports,
        closing=closing.format(package=package, subject=behaviours[0].subject),
    )
    return f"{title}\n\n{shown.strip()}\n"


def _kind(each: Behaviour) -> str:
    """The file of phrases; without a value to tell, one that tells none."""
    if each.kind in ("silent", "hangs"):
        return each.kind
    complete = each.got and (each.expected or each.kind == "raised")
    return each.kind if complete else "false"


def _expects(each: Behaviour) -> str:
    if each.kind == "silent":
        return "error"
    if each.kind == "raised" and each.expected.endswith(("Error", "Exception", "Warning", "StopIteration")):
        return "error"
    if each.expected.endswith("to be the same"):
        return "same"
    return "value" if each.expected else "nothing"


def _phrase(rng: Random, kind: str, each: Behaviour) -> str:
    error = each.got.partition(":")[0]
    return rng.choice(_phrases(kind)).format(
        subject=each.subject, got=_quoted(each.got), expected=_quoted(each.expected), error=error
    )


def _quoted(text: str) -> str:
    """As code in Markdown, where it is not so already."""
    if not text or text.endswith("to be the same"):
        return text
    return f"`` {text} ``" if "`" in text else f"`{text}`"


@cache
def _phrases(kind: str) -> list[str]:
    """The lines of a file in `phrases`."""
    text = resources(__package__).joinpath("phrases", f"{kind}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip()]


def _layouts() -> dict[str, jinja2.Template]:
    return layouts(__package__)
