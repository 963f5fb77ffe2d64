"""Whether a teacher's tokens are the student's: the same number must mean the same token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

from datafactory.errors import DataError

_SHOWN = 5
"""Differences that are shown."""
_CHUNK = 1024
"""Tokens that a server is asked about at a time."""


class Speller(Protocol):
    """Spells out tokens."""

    def spell(self, ids: Sequence[int]) -> str | None:
        """The text of tokens; None: one of them is none of its tokens."""
        ...


def same_tokens(student: Any, teacher: Any, name: str) -> None:
    """Raises DataError with the ids that differ, unless both tokenizers have the same token at every id."""
    ours, theirs = ({number: token for token, number in each.get_vocab().items()} for each in (student, teacher))
    differing = [number for number in sorted(ours.keys() | theirs.keys()) if ours.get(number) != theirs.get(number)]
    if differing:
        shown = ", ".join(f"{n} is {ours.get(n)!r}, not {theirs.get(n)!r}" for n in differing[:_SHOWN])
        raise _refusal(name, f"{len(differing):,} token ids differ (student's, not teacher's): {shown}")


def same_spelling(student: Any, teacher: Speller, name: str) -> None:
    """The same of a teacher on a server, which spells tokens out and gives no table of them."""
    known = len(student)
    differing = _differing(student, teacher, range(known))
    found = list(islice(differing, _SHOWN))
    if found:
        shown = ", ".join(f"{n} is {student.decode([n])!r}, not {teacher.spell([n])!r}" for n in found)
        raise _refusal(name, f"token ids differ (student's, not teacher's), the first of them: {shown}")


def _differing(student: Any, teacher: Speller, ids: range) -> Iterator[int]:
    """The ids that are spelt differently, found by halving the chunks that are."""
    for start in range(ids.start, ids.stop, _CHUNK):
        yield from _halved(student, teacher, range(start, min(start + _CHUNK, ids.stop)))


def _halved(student: Any, teacher: Speller, ids: range) -> Iterator[int]:
    if teacher.spell(ids) == student.decode(list(ids)):
        return
    if len(ids) == 1:
        yield ids.start
        return
    middle = (ids.start + ids.stop) // 2
    yield from _halved(student, teacher, range(ids.start, middle))
    yield from _halved(student, teacher, range(middle, ids.stop))


def _refusal(name: str, said: str) -> DataError:
    return DataError(
        f"the teacher {name!r} and the student must share a tokenizer: {said}. Take a teacher of the student's family"
    )
