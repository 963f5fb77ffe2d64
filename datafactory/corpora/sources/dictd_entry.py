"""One entry of a dictionary: headwords, references in braces, and text that was wrapped for a terminal, unwrapped."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from datafactory.corpora.sources.dictd_index import plain
from datafactory.corpora.text import clean

_REFERENCE = re.compile(r"\{([^{}]{1,400})\}")
_WITH_TARGET = re.compile(r"(?P<shown>[^()]*)\((?P<target>[^()]*(?:\([^()]*\)[^()]*)*)\)")
"""`{shown (target)}`, `{(target)}`: how FOLDOC says that a reference reads otherwise than what it leads to."""
_ADDRESS = re.compile(r"[a-z]+:|.*\.html?$|.*/")
_FULL = 40
"""Characters from which a line counts as wrapped rather than ended."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What an entry says."""

    headwords: tuple[str, ...]
    """The first is its title: as the entry writes it, else as the index does."""
    text: str
    links: tuple[str, ...]


def parsed(text: str, known: Sequence[str], meant: Callable[[str], str]) -> Parsed:
    """An entry, given the headwords that the index has for it and what a reference means."""
    links: dict[str, None] = {}

    def shown(reference: re.Match[str]) -> str:
        inside = " ".join(reference[1].split())
        target = _WITH_TARGET.fullmatch(inside)
        if target is None:
            links.setdefault(meant(inside))
            return reference[1]
        said, to = target["shown"].strip(), target["target"].strip()
        if _ADDRESS.match(to):
            return inside if said else to
        if said:
            links.setdefault(meant(to))
            return said
        links.setdefault(meant(to))
        return to

    headwords, body = _headwords(text.expandtabs().split("\n"), {plain(word): word for word in known})
    made = _REFERENCE.sub(shown, "\n".join(body))
    paragraphs = [_unwrapped(part) for part in re.split(r"\n[ \t]*\n", made)]
    return Parsed(
        headwords=tuple(dict.fromkeys(headwords or known)),
        text=clean("\n\n".join(part for part in paragraphs if part.strip())),
        links=tuple(links),
    )


def _headwords(lines: list[str], known: dict[str, str]) -> tuple[list[str], list[str]]:
    """The lines at the top that are headwords, and the lines below them."""
    found: list[str] = []
    for number, line in enumerate(lines):
        word = " ".join(clean(line).split())
        if not word and not found:
            continue
        if line[:1].isspace() or not word or (plain(word) not in known and word not in known.values()):
            return found, lines[number:]
        found.append(word)
    return found, []


def _unwrapped(paragraph: str) -> str:
    """Prose on one line; lines that are indented otherwise, or end early, are kept as they are."""
    lines = [line.rstrip() for line in paragraph.split("\n") if line.strip()]
    indents = {len(line) - len(line.lstrip()) for line in lines} - {0}
    if len(indents) <= 1 and all(len(line) >= _FULL for line in lines[:-1]):
        return " ".join(" ".join(lines).split())
    return textwrap.dedent("\n".join(lines))
