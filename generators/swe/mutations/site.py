"""Where a file can be broken, and how: places as plain facts, without the tree that they were found in."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import NamedTuple

NEWLINE = re.compile(r"\r\n|\n|\r")
"""What ends a line for Python (a form feed does not)."""


class Edit(NamedTuple):
    """Characters `start` to `end` of a file's text (byte order mark aside) become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Site:
    """One way to break one place; `edits` are sorted and do not overlap."""

    operator: str
    """Name of the operator, such as ``comparison_boundary``."""
    path: str
    """The file, relative to the repository's root, with ``/``."""
    qualname: str
    """Dotted name of the function or class around it; empty: the module's top level."""
    first_line: int
    """First line that changes, from 1."""
    last_line: int
    """Last line that changes, inclusive."""
    change: str
    """What would change, in a line: ``< → <=``."""
    edits: tuple[Edit, ...]

    @property
    def key(self) -> str:
        """Twelve hex digits that name this change of this file's text, whichever operator found it."""
        said = "\0".join((self.path, *(f"{start},{end},{text}" for start, end, text in self.edits)))
        return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()[:12]

    @property
    def place(self) -> tuple[str, str]:
        """The function that it is in: file and qualified name."""
        return self.path, self.qualname


def overlap(one: Site, other: Site) -> bool:
    """Whether two sites touch a common character, or the same gap, of one file."""
    if one.path != other.path:
        return False
    return any(
        (a.start < b.end and b.start < a.end) or a.start == b.start or a.end == b.end
        for a in one.edits
        for b in other.edits
    )


def spliced(text: str, edits: tuple[Edit, ...]) -> str:
    """`text` with sorted, disjoint `edits` made."""
    parts: list[str] = []
    place = 0
    for start, end, new in edits:
        parts += (text[place:start], new)
        place = end
    return "".join((*parts, text[place:]))
