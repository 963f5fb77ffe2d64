"""A fix as a developer types it: edits of single places that together make, byte for byte, what the diff makes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from datafactory.agent.editor import LARGEST
from datafactory.agent.editor_text import EditorError, inserted, replaced
from datafactory.formats.diff_paths import diff_paths
from datafactory.formats.unified_diff import DiffError, patched

_APART = 3
"""Unchanged lines between two changes that are still mended together."""
_WIDEST = 40
"""Lines of context on either side that an edit may grow to until its place is the only one."""
_HALF = re.compile("[\ud800-\udfff]")
"""What stands for bytes that are no UTF-8."""
_UNSEEN = re.compile(r"^(?:old mode|new mode|new file mode (?!100644)|rename|copy|GIT binary|Binary files)\b", re.M)
"""What a diff does besides changing lines."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One place of one file, as it is when all edits before it are made."""

    path: str
    """Relative to the repository."""
    before: str | None
    """The file, bytes that are no UTF-8 as surrogates; None: there is none."""
    after: str | None
    first: int
    """Number of the first line that changes, from 1; where lines only come in, of the line that they come before."""
    removed: tuple[str, ...]
    """Lines that go, with their ends."""
    added: tuple[str, ...]
    """Lines that come, with their ends."""
    old: str = ""
    """What the editor replaces; empty: no replacement of the editor's makes exactly this."""
    new: str = ""
    inserts: bool = False
    """Whether the editor's `insert` makes exactly this, after line `first` - 1."""

    @property
    def last(self) -> int:
        """Number of the last line that goes; `first` - 1: none does."""
        return self.first + len(self.removed) - 1


def edits_of(files: Mapping[str, bytes], fix: str) -> list[Edit]:
    """The edits that make of `files` (path in the repository: content) what `fix`, a unified diff, makes of them, file
    by file, from top to bottom. Raises DiffError where the diff does not fit or does more than change lines."""
    if _UNSEEN.search(fix):
        raise DiffError("the diff changes modes or names, or holds binary files")
    before = {path: data.decode(errors="surrogateescape") for path, data in files.items()}
    after = patched(before, fix)
    moved = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    if moved != diff_paths(fix):
        raise DiffError("the diff names files that it does not change")
    return [edit for path in sorted(moved) for edit in _of_file(path, before.get(path), after.get(path))]


def _of_file(path: str, before: str | None, after: str | None) -> Iterator[Edit]:
    if before is None or after is None:
        yield Edit(path, before, after, 1, tuple(_lines(before or "")), tuple(_lines(after or "")))
        return
    old, new = _lines(before), _lines(after)
    for i1, i2, j1, j2 in _blocks(old, new):
        now = "".join(new[:j1] + old[i1:])
        then = "".join(new[:j2] + old[i2:])
        whole = [*new[:j1], *old[i1:]]
        replacing = _replacement(whole, j1, i2 - i1, new[j1:j2], now, then)
        inserts = i1 == i2 and _inserts(now, j1, "".join(new[j1:j2]), then)
        yield Edit(path, now, then, j1 + 1, tuple(old[i1:i2]), tuple(new[j1:j2]), *replacing, inserts=inserts)


def _lines(text: str) -> list[str]:
    """Lines with their ends; only a newline ends one."""
    return re.findall(r"[^\n]*\n|[^\n]+$", text)


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Where `old` and `new` differ, with what lies between two changes that are close."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    matcher = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    open_ = None
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        if open_ and i1 + head - open_[1] <= _APART:
            open_ = (open_[0], i2 + head, open_[2], j2 + head)
            continue
        if open_:
            yield open_
        open_ = (i1 + head, i2 + head, j1 + head, j2 + head)
    if open_:
        yield open_


def _replacement(lines: Sequence[str], at: int, gone: int, come: Sequence[str], now: str, then: str) -> tuple[str, str]:
    """`old_str` and `new_str`, with as much around them as makes the place the only one; two empty texts: the editor
    cannot make it."""
    if not _editable(now):
        return "", ""
    up, down = (0, 0) if gone and come else (1, 0) if at else (0, 1)
    while up <= _WIDEST:
        low, high = max(0, at - up), min(len(lines), at + gone + down)
        old = _typed([*lines[low:high]])
        new = _typed([*lines[low:at], *come, *lines[at + gone : high]])
        if old.endswith("\n") and new.endswith("\n"):
            old, new = old[:-1], new[:-1]
        if _gives(now, old, new, then):
            return old, new
        if low == 0 and high == len(lines):
            return "", ""
        up, down = (up + 1, down) if up <= down and low > 0 else (up, down + 1)
        if down > _WIDEST:
            break
    return "", ""


def _editable(text: str) -> bool:
    """Whether the editor takes a file."""
    return "\0" not in text and not _HALF.search(text) and len(text.encode()) <= LARGEST


def _typed(lines: list[str]) -> str:
    """Lines as a view shows them: without carriage returns."""
    return "".join(lines).replace("\r\n", "\n")


def _gives(now: str, old: str, new: str, then: str) -> bool:
    try:
        return replaced(now, old, new).text == then
    except EditorError:
        return False


def _inserts(now: str, line: int, new: str, then: str) -> bool:
    try:
        return _editable(now) and inserted(now, line, _typed([new]).removesuffix("\n")).text == then
    except EditorError:
        return False
