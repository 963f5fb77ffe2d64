"""Words of a shell line: what they can be once bash has removed quotes and expanded them, as far as can be told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from sandboxes.no_execution.grammar import not_understood

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_VALUES = 64
"""Values of one word that are looked at one by one; a word that can have more is taken for one that can be anything."""
EXPANSIONS = (
    "simple_expansion",
    "expansion",
    "command_substitution",
    "process_substitution",
    "arithmetic_expansion",
)
_STARTS = b"([{!@#?*$-_`'\""
_SPECIAL = b" \t\n|&;()<>"
_SPLITS = re.compile(r"[\s*?\[\\]")
_BRACES = re.compile(rb",|\.\.")
_SUBSTITUTIONS = re.compile(r"\$\(.*\)|`.*`", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"'}


@dataclass(frozen=True)
class Word:
    """One word as typed, or where it is not quoted, the words that it becomes."""

    text: str
    """As typed."""
    values: tuple[str, ...] | None = None
    """All that it can be, where that is known."""
    prefix: str = ""
    """What it begins with, in any case."""
    pattern: bool = False
    """Whether names of files come in its place (a glob), or several words (braces)."""
    names: bool = False
    """Whether what is unknown in it is names of files that are there."""
    single: bool = True
    """Whether exactly one word comes of it."""

    @property
    def literal(self) -> str | None:
        """What it is, where there is one possibility."""
        return self.values[0] if self.values and len(self.values) == 1 else None

    @property
    def could_be_option(self) -> bool:
        """Whether a program might take it for an option. Names that begin with a dash cannot be made (see
        `paths`)."""
        if self.values is not None:
            return any(value.startswith("-") for value in self.values)
        if self.prefix:
            return self.prefix.startswith("-")
        return not self.names

    def pieces(self) -> tuple[str, ...]:
        """Every text that is known of it: all its values, or what was typed, substitutions left out."""
        return self.values if self.values is not None else (_SUBSTITUTIONS.sub("", self.text),)


def plain(text: str) -> Word:
    """A word that is what it says, as in an argument vector."""
    return Word(text, (text,), text)


@dataclass(frozen=True)
class Known:
    """What is known of a part of a word."""

    values: tuple[str, ...] | None
    quoted: bool
    names: bool = False


class Reader:
    """Reads the source of a word anew, with quotes as bash sees them, and stops at every expansion that the tree
    knows: one that only bash would see is refused."""

    def __init__(self, source: bytes, expand: Callable[[Node, bool], Known]) -> None:
        self._source = source
        self._expand = expand

    def read(self, node: Node) -> Word:
        """Raises Refused where tree and text disagree."""
        start, end = node.start_byte, node.end_byte
        inner = {self._begin(each): each for each in _expansions(node)}
        parts: list[Known] = []
        globs = braces = False
        mode, at = "", start
        while at < end:
            byte = self._source[at : at + 1]
            if at in inner and mode != "'":
                parts.append(self._expand(inner[at], mode == '"'))
                at = inner.pop(at).end_byte
                continue
            text, at, mode = self._step(node, byte, at, end, mode)
            if mode == "" and text == byte.decode("latin-1"):
                globs |= byte in b"*?["
                braces |= byte == b"{" and _BRACES.search(self._source[at:end]) is not None
            if text is not None:
                parts.append(Known((text,), True))
        if mode or inner:
            raise not_understood(node, self._source)
        return _joined(self._source[start:end].decode(errors="replace"), parts, globs, braces)

    def _begin(self, node: Node) -> int:
        """Blanks before an expansion in double quotes are counted as its own by the grammar."""
        at = node.start_byte
        while self._source[at] in b" \t\n":
            at += 1
        return at

    def _step(self, node: Node, byte: bytes, at: int, end: int, mode: str) -> tuple[str | None, int, str]:
        """One character: its text (None: it is only a quote), where the next is, and the quotes that are open."""
        follows = self._source[at + 1 : at + 2]
        if mode == "'":
            return (None, at + 1, "") if byte == b"'" else (byte.decode("latin-1"), at + 1, mode)
        if byte == b"\\":
            return self._escaped(node, follows if at + 1 < end else b"", at, mode)
        if byte == b'"':
            return None, at + 1, "" if mode else '"'
        if byte == b"`" or (byte == b"$" and mode == "" and follows == b"'" and not self._plain_ansi(at, end)):
            raise not_understood(node, self._source)
        if byte == b"$" and mode == "" and follows == b"'":
            return self._ansi(at)
        if byte == b"$" and (
            follows.isalnum() or (follows and follows in _STARTS and not (mode and follows in b"\"'"))
        ):
            raise not_understood(node, self._source)
        if mode == "" and byte == b"'":
            return None, at + 1, "'"
        if mode == "" and byte in _SPECIAL:
            raise not_understood(node, self._source)
        if mode == "" and byte == b"#" and at == node.start_byte:
            raise not_understood(node, self._source)
        return byte.decode("latin-1"), at + 1, mode

    def _escaped(self, node: Node, follows: bytes, at: int, mode: str) -> tuple[str | None, int, str]:
        if follows in (b"", b"\n"):  # bash joins lines before it looks for $( and for names of variables
            raise not_understood(node, self._source)
        if mode == '"' and follows not in b'$`"\\':
            return "\\", at + 1, mode
        return follows.decode("latin-1"), at + 2, mode

    _ANSI = re.compile(rb"\$'((?:[^'\\]|\\[nt\\'\"])*)'")

    def _plain_ansi(self, at: int, end: int) -> bool:
        found = self._ANSI.match(self._source, at, end)
        return found is not None

    def _ansi(self, at: int) -> tuple[str, int, str]:
        found = self._ANSI.match(self._source, at)
        assert found is not None
        text = re.sub(r"\\(.)", lambda each: _ESCAPES[each[1]], found[1].decode("latin-1"))
        return text, found.end(), ""


def _expansions(node: Node) -> Iterator[Node]:
    """The outermost expansions in a word."""
    if node.type in EXPANSIONS:
        yield node
        return
    for child in node.children:
        yield from _expansions(child)


def _joined(text: str, parts: Sequence[Known], globs: bool, braces: bool) -> Word:
    values: tuple[str, ...] | None = ("",)
    prefix, prefix_ends = "", False
    for part in parts:
        if part.values is None or (
            not part.quoted and any(_SPLITS.search(value) or not value for value in part.values)
        ):
            values, prefix_ends = None, True
        elif values is not None:
            count = len(values) * len(part.values)
            values = tuple("".join(pair) for pair in product(values, part.values)) if count <= MOST_VALUES else None
        if not prefix_ends and part.values and len(part.values) == 1:
            prefix += part.values[0]
        else:
            prefix_ends = True
    unknown = [part for part in parts if part.values is None]
    single = not (globs or braces) and all(part.quoted or values is not None for part in parts)
    if globs or braces:
        cut = re.search(r"[*?\[{]", prefix)
        prefix, values = prefix[: cut.start()] if cut else prefix, None
    names = all(part.names for part in unknown) and not braces and (bool(unknown) or globs)
    return Word(text, _decoded(values), _decode(prefix), globs or braces, names, single)


def _decode(text: str) -> str:
    """Bytes were taken one by one; a value from a variable is text already."""
    return text if any(ord(each) > 255 for each in text) else text.encode("latin-1").decode(errors="replace")


def _decoded(values: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(_decode(value) for value in values)
