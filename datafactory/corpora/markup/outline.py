"""The outline of a page: sections within sections, each of blocks of text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a list item, a table, a piece of code."""

    text: str
    tight: bool = False
    """Follows the block before it on the next line, without an empty one: items of a list, a definition."""


@dataclass(slots=True)
class Section:
    """What stands under a heading, or an entry of a definition list; the whole page is the outermost one."""

    title: str
    level: int
    """0: the page; 1 to 6: under a heading of that level; 7: an entry."""
    fragment: str = ""
    """Its name in the page; empty: it has none, and cannot be a page of its own."""
    ids: list[str] = field(default_factory=list)
    """All names that lie in it, its own too."""
    links: list[str] = field(default_factory=list)
    """Targets as they are written."""
    parts: list[Block | Section] = field(default_factory=list)

    @property
    def is_entry(self) -> bool:
        """Whether it is an entry of a definition list: a function, a class, a term."""
        return self.level == ENTRY

    def sections(self) -> Iterator[Section]:
        """The sections right below it."""
        return (part for part in self.parts if isinstance(part, Section))

    def blocks(self) -> Iterator[Block]:
        """Its own blocks, without those of the sections below."""
        return (part for part in self.parts if isinstance(part, Block))

    def words(self) -> int:
        """Of its own blocks."""
        return sum(len(block.text.split()) for block in self.blocks())


ENTRY = 7


def written(blocks: list[Block]) -> str:
    """Blocks as one text: an empty line between them, unless one is tight."""
    parts: list[str] = []
    for block in blocks:
        if parts:
            parts.append("\n" if block.tight else "\n\n")
        parts.append(block.text)
    return "".join(parts)
