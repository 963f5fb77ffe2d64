"""Inline text gathered into blocks: white space collapsed, items marked, the cells of a row on one line."""

from __future__ import annotations

import re

from datafactory.corpora.markup.outline import Block
from datafactory.corpora.text import clean

_SPACE = re.compile(r"[ \t\n\r\f\xa0]+")
_BREAK = re.compile(r" *\n *")
_RUN = re.compile(r" {2,}")


class Writer:
    """Takes text as it comes; `flush` ends a block."""

    def __init__(self) -> None:
        self._inline: list[str] = []
        self.in_table = False
        """Whether a table is open: blocks are parts of its cells."""
        self._rows: list[list[list[str]]] = []
        self._items: list[tuple[str, int]] = []
        self._marker = ""
        self._tight = False

    def text(self, text: str) -> None:
        """More of the block."""
        self._inline.append(_SPACE.sub(" ", text))

    def line_break(self) -> None:
        """A line ends within the block."""
        self._inline.append("\n")

    def taken(self) -> str:
        """The text since the last flush, which is then gone."""
        text = _BREAK.sub("\n", _RUN.sub(" ", "".join(self._inline))).strip()
        self._inline.clear()
        return clean(text) if text else ""

    def flush(self) -> Block | None:
        """End the block; None: it was empty, or went into a table's cell."""
        text = self.taken()
        return self._made(text) if text else None

    def code(self, text: str) -> Block | None:
        """A block whose white space counts."""
        text = clean(text.expandtabs()).strip("\n")
        if not text.strip():
            return None
        if self.in_table:
            return self._made(" ".join(text.split()))
        self._marker = ""
        return Block(text)

    def tighten(self) -> None:
        """What comes next belongs to the block before it, as a definition does to its term."""
        self._tight = True

    def list_starts(self, ordered: bool) -> None:
        """A list, perhaps within another."""
        self._items.append(("1" if ordered else "-", 0))

    def item(self) -> None:
        """The next item of the innermost list."""
        if not self._items:
            self._marker = "- "
            return
        kind, count = self._items[-1]
        self._items[-1] = (kind, count + 1)
        self._marker = f"{count + 1}. " if kind == "1" else "- "

    def list_ends(self) -> None:
        """The innermost list."""
        if self._items:
            self._items.pop()
        self._marker = ""

    def table_starts(self) -> None:
        """A table; there is none within another."""
        self.in_table = True
        self._rows = [[]]

    def row(self) -> None:
        """The next row of the table."""
        if self.in_table:
            self._rows.append([])

    def cell(self) -> None:
        """The next cell of the row."""
        if self.in_table:
            self._rows[-1].append([])

    def table_ends(self, *, flat: bool) -> Block | None:
        """The rows, one a line, cells separated by bars; or all of it as one line."""
        self.in_table = False
        lines = [" | ".join(" ".join(cell) for cell in row) for row in self._rows if any(map(any, row))]
        if flat:
            return Block(" ".join(text for row in self._rows for cell in row for text in cell)) if lines else None
        return Block("\n".join(lines)) if lines else None

    def _made(self, text: str) -> Block | None:
        if self.in_table:
            if not self._rows[-1]:
                self._rows[-1].append([])
            self._rows[-1][-1].append(" ".join(text.split()))
            return None
        tight, self._tight = self._tight, False
        if self._items or self._marker:
            indent = "  " * max(len(self._items) - 1, 0)
            first = indent + (self._marker or "  ")
            tight = tight or bool(not self._marker or len(self._items) > 1 or (self._items and self._items[-1][1] > 1))
            self._marker = ""
            return Block(first + text.replace("\n", f"\n{indent}  "), tight)
        return Block(text, tight)
