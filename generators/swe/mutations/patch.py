"""Unified diffs of files as bytes, in the form that `git apply` takes."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

CONTEXT = 3
"""Lines around a change, as git shows them."""


class Span(NamedTuple):
    """Lines `old` of a file became lines `new`, counted from 0; an empty range stands before the line it begins at."""

    old: range
    new: range


_Step = tuple[str, int, int, int, int]
_ESCAPES = {ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r", ord('"'): '\\"', ord("\\"): "\\\\"}


def diff(path: str, before: bytes | None, after: bytes | None) -> bytes:
    """What turns `before` into `after`, with ``a/`` and ``b/`` paths; empty where they are alike. None: no such file.

    Lines end at ``\\n`` alone, as they do for git: a carriage return is part of its line.
    """
    if before == after:
        return b""
    old, new = _name(f"a/{path}"), _name(f"b/{path}")
    head = b"diff --git %s %s\n" % (old, new)
    if before is None:
        head += b"new file mode 100644\n"
    elif after is None:
        head += b"deleted file mode 100644\n"
    hunks = b"".join(_hunks(_lines(before or b""), _lines(after or b""))) if before or after else b""
    if not hunks:  # an empty file comes or goes: git takes no names without hunks
        return head
    behind = b"\t" if b" " in old else b""  # ends a name that has spaces in it
    old, new = (b"/dev/null" if data is None else name + behind for data, name in ((before, old), (after, new)))
    return head + b"--- %s\n+++ %s\n%s" % (old, new, hunks)


def spans(before: bytes, after: bytes) -> list[Span]:
    """Where they differ, as the patch says it, one list for all hunks."""
    steps = _steps(_lines(before), _lines(after))
    return [Span(range(i1, i2), range(j1, j2)) for tag, i1, i2, j1, j2 in steps if tag != "equal"]


def _lines(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + [part for part in parts[-1:] if part]


def _name(path: str) -> bytes:
    """A path as git writes it: in quotes where a character would end it or hide it."""
    if any(ord(letter) < 32 or letter in '"\\' or ord(letter) == 127 for letter in path):
        return f'"{path.translate(_ESCAPES)}"'.encode()
    return path.encode()


def _hunks(old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    """Hunks between two lists of lines."""
    for group in _groups(_steps(old, new)):
        (_, a1, _, b1, _), (_, _, a2, _, b2) = group[0], group[-1]
        yield b"@@ -%s +%s @@\n" % (_range(a1, a2 - a1), _range(b1, b2 - b1))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (_line(b" ", line) for line in old[i1:i2])
                continue
            yield from (_line(b"-", line) for line in old[i1:i2])
            yield from (_line(b"+", line) for line in new[j1:j2])


def _steps(old: list[bytes], new: list[bytes]) -> list[_Step]:
    """What stays and what changes, as difflib says it: (tag, from and to in `old`, from and to in `new`).

    Only what lies between the first and the last change is compared; of what is alike at both ends only the context
    is told.
    """
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    before, after = min(head, CONTEXT), min(tail, CONTEXT)
    a, b = len(old) - tail, len(new) - tail
    middle = SequenceMatcher(None, old[head:a], new[head:b]).get_opcodes()
    return [
        ("equal", head - before, head, head - before, head),
        *((tag, head + i1, head + i2, head + j1, head + j2) for tag, i1, i2, j1, j2 in middle),
        ("equal", a, a + after, b, b + after),
    ]


def _groups(steps: list[_Step]) -> Iterator[list[_Step]]:
    """The steps of each hunk: a long stretch without a change ends one and begins the next."""
    group: list[_Step] = []
    for step in steps:
        tag, i1, i2, j1, j2 = step
        if tag == "equal" and i2 - i1 > 2 * CONTEXT:
            yield [*group, (tag, i1, i1 + CONTEXT, j1, j1 + CONTEXT)]
            group = [(tag, i2 - CONTEXT, i2, j2 - CONTEXT, j2)]
        else:
            group.append(step)
    yield group


def _range(start: int, length: int) -> bytes:
    """A place in a hunk's header: an empty one is named by the line before it."""
    return b"%d,%d" % (start + 1 if length else start, length)


def _line(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + b"\n\\ No newline at end of file\n"
