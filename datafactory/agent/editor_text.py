"""Edits on the text of a file: an exact replacement, lines put in, lines shown with their numbers."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from datafactory.agent.clip import clip

SHOWN = 16_000
"""Bytes of UTF-8 that a view may have; a whole file of 400 lines usually fits."""
AROUND = 4
"""Lines shown before and after an edit."""
_MOST = 20
"""Matches that an error counts and names."""


class EditorError(Exception):
    """An edit that cannot be made; its text tells the agent why."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A text after an edit, and where the edit is in it."""

    text: str
    first: int
    """The number of the first line that it made or changed, from 1."""
    last: int
    """Of the last one; `first` - 1 where only a deletion is left to see."""


def lines_of(text: str) -> list[str]:
    """Lines without their ends, as `cat -n` counts them: only a newline ends one, no other separator of Unicode's."""
    made = text.replace("\r\n", "\n").split("\n")
    return made if made[-1] else made[:-1]


def replaced(text: str, old: str, new: str) -> Edit:
    """`new` in the place of `old`, which must be there exactly once. In a text with CRLF a newline of `old` matches
    either end of a line, and the ends of lines that do not change stay. Raises EditorError."""
    if not old:
        raise EditorError("`old_str` is empty: nothing can be found by it; `insert` puts lines in")
    plain, old, new, ends = text, old, new, list[int]()
    if "\r\n" in text:
        plain, old, new = (part.replace("\r\n", "\n") for part in (text, old, new))
        ends = [match.start() - before for before, match in enumerate(re.finditer("\r\n", text))]
    if old == new:
        raise EditorError("`old_str` and `new_str` are the same: nothing would change")
    found = list(islice(_matches(plain, old), _MOST + 1))
    if not found:
        raise EditorError("`old_str` was not found: it must match the file exactly, blanks and ends of lines too")
    if len(found) > 1:
        raise EditorError(_ambiguous(plain, found))
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    start, stop = found[0] + head, found[0] + len(old) - tail
    middle = _with_ends(new[head : len(new) - tail], text)
    # a place in `plain` lies as many characters further on in `text` as there are carriage returns before it
    start, stop = start + bisect_left(ends, start), stop + bisect_left(ends, stop)
    first = plain.count("\n", 0, found[0]) + 1
    return Edit(text[:start] + middle + text[stop:], first, first + len(lines_of(new)) - 1)


def inserted(text: str, line: int, new: str) -> Edit:
    """`new` as lines of its own after line number `line`; 0: before the first. A newline is added where `new` has
    none at its end, except after a last line that has none itself. Raises EditorError."""
    *whole, rest = text.split("\n")
    kept = [f"{part}\n" for part in whole] + ([rest] if rest else [])
    if not 0 <= line <= len(kept):
        raise EditorError(f"`insert_line` is {line}, but must be 0 to {len(kept)}: the file has {_lines(len(kept))}")
    before, after = "".join(kept[:line]), "".join(kept[line:])
    end = "\r\n" if _mostly_crlf(text) else "\n"
    body = _with_ends(new, text)
    if before and not before.endswith("\n"):
        body = end + body
        added = len(lines_of(body)) - 1 or 1
    else:
        body += "" if body.endswith("\n") else end
        added = len(lines_of(body))
    return Edit(before + body + after, line + 1, line + added)


def numbered(lines: Sequence[str], first: int, last: int) -> str:
    """Lines number `first` to `last`, as `cat -n` prints them; at most SHOWN bytes, with a note on what is left out."""
    shown: list[str] = []
    size = 0
    for number in range(first, last + 1):
        line = f"{number:6}\t{lines[number - 1]}"
        size += len(line.encode(errors="replace")) + 1
        if size > SHOWN and shown:
            shown.append(f"[... lines {number} to {last} are left out; name others with `view_range` ...]")
            break
        shown.append(clip(line, SHOWN))
    return "\n".join(shown)


def around(edit: Edit) -> str:
    """The lines of an edit with a few before and after; empty: the file is empty."""
    lines = lines_of(edit.text)
    return numbered(lines, max(1, edit.first - AROUND), min(len(lines), max(edit.last, edit.first - 1) + AROUND))


def _matches(text: str, old: str) -> Iterator[int]:
    at = text.find(old)
    while at >= 0:
        yield at
        at = text.find(old, at + 1)


def _alike(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _ambiguous(text: str, found: Sequence[int]) -> str:
    numbers = [str(text.count("\n", 0, at) + 1) for at in found[:_MOST]]
    times = f"{len(found)} times" if len(found) <= _MOST else f"more than {_MOST} times"
    more = "" if len(found) <= _MOST else " and further"
    return f"`old_str` was found {times}, at lines {', '.join(numbers)}{more}; it must be there exactly once"


def _mostly_crlf(text: str) -> bool:
    return text.count("\r\n") * 2 > text.count("\n")


def _with_ends(new: str, text: str) -> str:
    """`new` with the ends that the lines of `text` have; where it has no CRLF, as it is."""
    if "\r\n" not in text:
        return new
    plain = new.replace("\r\n", "\n")
    return plain.replace("\n", "\r\n") if _mostly_crlf(text) else plain


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"
