"""Which files a diff of git's changes, makes, removes or renames."""

from __future__ import annotations

import re
from collections.abc import Iterator

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_MOVED = ("rename from ", "rename to ", "copy to ")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_PREFIX = re.compile(r"^[abciwo]/")


def diff_paths(diff: str) -> frozenset[str]:
    """The paths in the heads of its files, old names and new ones, without the ``a/`` and ``b/`` before them.

    Lines of hunks are passed over by the counts in their heads, so that no content is taken for a head. Files
    without hunks (binary, empty, a mode that changed) count; names in git's quotes are read. Never raises.
    """
    return frozenset(_PREFIX.sub("", path, count=1) for path in _named(diff.split("\n")) if path != "/dev/null")


def _named(lines: list[str]) -> Iterator[str]:
    old = new = 0
    for line in lines:
        if old > 0 or new > 0:
            old -= line[:1] in (" ", "-", "")
            new -= line[:1] in (" ", "+", "")
        elif head := _HUNK.match(line):
            old, new = (1 if count is None else int(count) for count in head.groups())
        elif line.startswith("diff --git "):
            yield from _both(line[11:])
        elif line.startswith(("--- ", "+++ ")):
            yield _name(line[4:].split("\t")[0])
        else:
            for head_of_move in _MOVED:
                if line.startswith(head_of_move):
                    yield _name(line[len(head_of_move) :])


def _both(names: str) -> Iterator[str]:
    """The names of a ``diff --git`` line. Without quotes only two that are equal can be told apart where they hold
    blanks; names that differ come again as a rename."""
    quoted = [_name(found) for found in _QUOTED.findall(names)]
    if quoted:
        yield from quoted
        return
    middle = len(names) // 2
    left, right = names[:middle], names[middle + 1 :]
    if _PREFIX.sub("", left) == _PREFIX.sub("", right):
        yield left


def _name(text: str) -> str:
    """A name as it is on disk: git puts one with control characters, quotes or bytes past ASCII in quotes."""
    if not (text.startswith('"') and text.endswith('"') and len(text) > 1):
        return text.rstrip("\r")

    def plain(found: re.Match[bytes]) -> bytes:
        said = found[1]
        return bytes([int(said, 8) & 0xFF]) if len(said) == 3 else _LETTERS.get(said, said)

    return _ESCAPE.sub(plain, text[1:-1].encode()).decode(errors="replace")
