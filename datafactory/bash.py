"""Lines for bash as tree-sitter sees them, kept from the characters that crash its grammar."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language, Tree

_STAND_INS = range(0x3400, 0x4DC0)
"""Letters of three bytes, most of which no line has."""


@cache
def _language() -> Language:
    import tree_sitter_bash
    from tree_sitter import Language

    return Language(tree_sitter_bash.language())


def tree_of(source: bytes) -> Tree:
    """The tree of `source`, all of whose characters are below U+10000 (`tame`).

    A tree has to outlive its nodes. tree-sitter 0.26 crashes where a node's `parent` is asked for again and again
    (py-tree-sitter issue 472), so that nobody here asks, and 0.25 is pinned.
    """
    from tree_sitter import Parser

    return Parser(_language()).parse(source)


def tame(line: str) -> str | None:
    """`line` with a letter that it does not have in the place of every character from U+10000 on: the same for the
    same, another for another, so that bash would take both lines apart in the same way. None: it has too many kinds.

    A brace and then such a character ends the process that parses it (tree-sitter-bash issue 337).
    """
    wild = sorted({letter for letter in line if ord(letter) > 0xFFFF})
    if not wild:
        return line
    free = (chr(code) for code in _STAND_INS if chr(code) not in line)
    given = dict(zip(wild, free, strict=False))
    if len(given) < len(wild):
        return None
    return line.translate({ord(letter): stand_in for letter, stand_in in given.items()})
