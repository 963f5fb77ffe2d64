"""Text as paragraphs and sentences, each as it stands on its page but for the breaks of lines."""

from __future__ import annotations

import re


def listed(text: str) -> frozenset[str]:
    """The words of a list that is written as text."""
    return frozenset(text.split())


_SHORT = listed(
    "e.g i.e etc cf vs al inc corp ltd co no fig vol pp p ed eds dr mr mrs ms prof st jr sr univ dept dec jan "
    "feb mar apr jun jul aug sep sept oct nov approx ca u.s u.k ver rel"
)
"""What ends in a full stop without ending a sentence."""
_END = re.compile(r"[.!?][\"')\]”’]*\s+(?=[\"'(\[“‘]?[A-Z0-9])")


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a page's text, each on one line."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def sentences(paragraph: str) -> list[str]:
    """The sentences of a paragraph, in order; joined by blanks they are the paragraph again."""
    found: list[str] = []
    start = 0
    for end in _END.finditer(paragraph):
        before = paragraph[start : end.start()].rsplit(None, 1)
        word = before[-1].lstrip("([\"'").lower() if before else ""
        initial = len(word) == 1 and word.isalpha() and before[-1][-1].isupper()
        if paragraph[end.start()] == "." and (initial or word in _SHORT):
            continue
        found.append(paragraph[start : end.end()].strip())
        start = end.end()
    rest = paragraph[start:].strip()
    return [*found, rest] if rest else found


def folded(text: str) -> str:
    """What two spellings of one value have in common: words of letters and digits, in lower case, one blank apart."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("_", " ")))
