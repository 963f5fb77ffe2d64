"""A bug out of sound and broken files that somebody wrote: which functions and lines differ, and the patches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from datafactory.types import digest_of
from generators.swe.mutations import Bug, Change, NoBug, Unreadable, diff
from generators.swe.mutations.patch import Span, spans
from generators.swe.mutations.source import LARGEST
from generators.swe.outline import Outline

MOST_SAID = 120
"""Characters of a line that a change shows of what was and what is."""
NOTHING = "∅"

Data = bytes | None


def bug_between(kind: str, before: Mapping[str, Data], after: Mapping[str, Data]) -> Bug:
    """The bug that turns the sound files `before` into the broken files `after` (path in the repository: content).

    None, or a path that only the other side has: there is no such file. The lines of a change are those of the sound
    file whose tests may notice it: where new lines run on ways that no old line of theirs did, the function's from its
    beginning. Raises NoBug where nothing differs that Python sees, where a broken file no longer compiles, where a
    file is larger than LARGEST bytes, and where a patch would be no text.
    """
    pairs = [(path, before.get(path), after.get(path)) for path in sorted({*before, *after})]
    pairs = [(path, sound, broken) for path, sound, broken in pairs if sound != broken]
    for path, sound, broken in pairs:
        if any(data is not None and (len(data) > LARGEST or b"\0" in data) for data in (sound, broken)):
            raise NoBug(f"{path}: more than {LARGEST} bytes, or no text")
    changes = [change for path, sound, broken in pairs for change in _changes(kind, path, sound, broken)]
    if not changes:
        raise NoBug(f"{', '.join(path for path, _, _ in pairs) or 'the files'}: nothing differs that Python sees")
    try:
        patch = b"".join(diff(path, sound, broken) for path, sound, broken in pairs).decode()
        fix = b"".join(diff(path, broken, sound) for path, sound, broken in pairs).decode()
    except UnicodeDecodeError as error:
        raise NoBug("the lines around the change are no UTF-8, so no patch of text") from error
    return Bug(id=digest_of(patch), kind=kind, changes=tuple(changes), patch=patch, fix=fix)


def _changes(kind: str, path: str, sound: Data, broken: Data) -> Iterator[Change]:
    """The changes of one file; none where only comments and the layout differ."""
    if sound is None or broken is None:
        count = len((sound or b"").splitlines())
        said = f"{NOTHING} → a file" if sound is None else f"a file → {NOTHING}"
        yield Change(operator=kind, path=path, qualname="", first_line=1, last_line=max(count, 1), change=said)
        return
    old, new = _outline(path, sound), _outline(path, broken)
    if old is not None and new is None:
        raise NoBug(f"{path}: what is left does not compile")
    if old is not None and new is not None and old.same_code(new):
        return
    were, are = sound.split(b"\n"), broken.split(b"\n")
    found = spans(sound, broken)
    code = [span for span in found if _is_code(were, span.old) or _is_code(are, span.new)]
    for span in code or found:
        first, last, qualname = _place(span, old, new, len(were))
        said = f"{_said(were, span.old)} → {_said(are, span.new)}"
        yield Change(operator=kind, path=path, qualname=qualname, first_line=first, last_line=last, change=said)


def _is_code(lines: Sequence[bytes], part: range) -> bool:
    """Whether there is more than comments and blanks."""
    return any(lines[number].strip()[:1] not in (b"", b"#") for number in part)


def _said(lines: Sequence[bytes], part: range) -> str:
    """A line as it is, several by their number."""
    if len(part) != 1:
        return f"{len(part)} lines" if part else NOTHING
    return lines[part.start].decode(errors="replace").strip()[:MOST_SAID]


def _outline(path: str, data: bytes) -> Outline | None:
    """None: it is no Python file that can be read by lines."""
    if not path.endswith(".py") or re.search(rb"\r(?!\n)|\f", data):
        return None
    try:
        return Outline(path, data)
    except Unreadable:
        return None


def _place(span: Span, old: Outline | None, new: Outline | None, count: int) -> tuple[int, int, str]:
    """First and last line whose tests may notice the change, in the old file of `count` lines; and what it is in."""
    first, last = span.old.start + 1, span.old.stop
    if old is None or new is None:
        return (first, last, "") if span.old else (max(last, 1), min(first, count), "")
    inside = old.around(first, last) if span.old else new.around(span.new.start + 1, span.new.stop)
    qualname = inside.qualname if inside else ""
    fresh = [line for line in range(span.new.start + 1, span.new.stop + 1) if new.is_code(line)]
    if not fresh:
        return max(min(first, last), 1), max(first, last), qualname
    function = new.function(fresh[0])
    if function is not None and all(new.function(line) is function for line in fresh):
        indentation = min(map(new.indentation, fresh))
        return *_in_function(span, old, function.qualname, indentation), qualname
    return *_at_import(first, last, old), qualname


def _in_function(span: Span, old: Outline, qualname: str, indentation: int) -> tuple[int, int]:
    """Lines that run wherever new ones of that least indentation do: the old ones or the next one, where they begin a
    statement beside or around the new; else the function's from its beginning."""
    first, last, end = span.old.start + 1, span.old.stop, len(old.lines)
    anchor = next((line for line in range(first, end + 1) if old.is_code(line)), 0)
    there = old.function(anchor) if anchor else None
    if there and there.qualname == qualname and old.begins(anchor) and old.indentation(anchor) <= indentation:
        return (first if span.old else anchor), max(last, anchor)
    around = [old.function(line) for line in range(max(first - 1, 1), min(last + 1, end) + 1)]
    function = next((part for part in around if part and part.qualname == qualname), None)
    if function is None:
        return _at_import(first, last, old)
    begins = [
        statement.lineno for statement in function.node.body[:2]
    ]  # the first may be a docstring, which never runs
    return function.body, max(last, *begins)


def _at_import(first: int, last: int, old: Outline) -> tuple[int, int]:
    """The lines, and the nearest one above or below that runs at import where none of them does."""
    lines = [line for line in range(1, len(old.lines) + 1) if old.is_code(line) and old.function(line) is None]
    if not lines or any(first <= line <= last for line in lines):
        return max(first, 1), max(last, first, 1)
    above = [line for line in lines if line < first]
    return (above[-1], max(last, above[-1])) if above else (min(first, lines[0]), lines[0])
