"""Applies a unified diff to texts, exactly or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NO_NEWLINE = "\\ No newline at end of file"


class DiffError(ValueError):
    """The diff is malformed, or does not fit the texts."""


def patched(texts: Mapping[str, str], diff: str, *, reverse: bool = False) -> dict[str, str]:
    """`texts` (path: content) after `diff`, or before it with `reverse`; a file that it removes is left out.

    Paths in the diff lose their first part (``a/``, ``b/``). Hunks must fit at the line that they name: a
    data set's diff belongs to its files, and a fuzzy fit would be a wrong one. Raises DiffError.
    """
    made = dict(texts)
    for old, new, hunks in _files(diff):
        before, after = (new, old) if reverse else (old, new)
        text = "" if before is None else made.get(before)
        if text is None:
            raise DiffError(f"the diff changes {before}, which is not among the files")
        result = _changed(text, hunks, before or after or "", reverse)
        if before is not None:
            del made[before]
        if after is not None:
            made[after] = result
    return made


def _files(diff: str) -> Iterator[tuple[str | None, str | None, list[list[str]]]]:
    """For every file of the diff: old path, new path (None: no such file), hunks as lines."""
    lines = diff.split("\n")
    found, place = False, 0
    while place < len(lines):
        if not (lines[place].startswith("--- ") and lines[place + 1 : place + 2]):
            place += 1
            continue
        if not lines[place + 1].startswith("+++ "):
            raise DiffError(f"line {place + 1}: '---' without '+++'")
        old, new = _path(lines[place]), _path(lines[place + 1])
        place += 2
        hunks: list[list[str]] = []
        while place < len(lines) and lines[place].startswith("@@"):
            hunk, place = _hunk(lines, place)
            hunks.append(hunk)
        found = True
        yield old, new, hunks
    if not found:
        raise DiffError("no file headers ('---', '+++') in it")


def _path(line: str) -> str | None:
    name = line[4:].split("\t")[0].strip()
    return None if name == "/dev/null" else name.partition("/")[2] or name


def _hunk(lines: list[str], place: int) -> tuple[list[str], int]:
    """One hunk with its header, by the counts in it, and the line after it."""
    head = _HUNK.match(lines[place])
    if head is None:
        raise DiffError(f"line {place + 1}: no hunk header: {lines[place][:60]!r}")
    old, new = (int(head[n]) if head[n] is not None else 1 for n in (2, 4))
    hunk = [lines[place]]
    place += 1
    while old > 0 or new > 0 or lines[place : place + 1] == [_NO_NEWLINE]:
        if place >= len(lines):
            raise DiffError("the diff ends inside a hunk")
        line = lines[place] or " "
        if line[0] not in " +-\\":
            raise DiffError(f"line {place + 1}: no line of a hunk: {line[:60]!r}")
        old -= line[0] in " -"
        new -= line[0] in " +"
        hunk.append(line)
        place += 1
    return hunk, place


def _changed(text: str, hunks: list[list[str]], path: str, reverse: bool) -> str:
    lines = re.findall(r"[^\n]*\n|[^\n]+$", text)
    out: list[str] = []
    place = 0
    for head, *body in hunks:
        start, gone, come = _sides(head, body, reverse)
        at = start - 1 if gone else start
        if at < place or lines[at : at + len(gone)] != gone:
            raise DiffError(f"{path}: the hunk at line {start} does not fit")
        out += lines[place:at] + come
        place = at + len(gone)
    return "".join(out + lines[place:])


def _sides(head: str, body: list[str], reverse: bool) -> tuple[int, list[str], list[str]]:
    """Line number, lines before and lines after."""
    found = _HUNK.match(head)
    assert found is not None
    sides: dict[str, list[str]] = {"-": [], "+": []}
    for number, line in enumerate(body):
        if line[0] == "\\":
            continue
        ends = body[number + 1 : number + 2] == [_NO_NEWLINE]
        for sign in "-+" if line[0] == " " else line[0]:
            sides[sign].append(line[1:] + ("" if ends else "\n"))
    start = int(found[3] if reverse else found[1])
    return (start, sides["+"], sides["-"]) if reverse else (start, sides["-"], sides["+"])
