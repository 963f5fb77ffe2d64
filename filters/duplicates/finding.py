"""Finds the rows to drop: each is proved similar to one that stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from filters.duplicates.candidates import Kept, marked
from filters.duplicates.reading import Reader, Table
from filters.duplicates.sketches import jaccard

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]


class Pair(NamedTuple):
    """A row that goes, and the row that stays for it, by their numbers."""

    row: int
    original: int
    likeness: float
    """The Jaccard index of their sets of shingles."""


def near_duplicates(
    tables: Sequence[Table], groups: Array, *, reader: Reader, settled: int, threshold: float
) -> Iterator[Pair]:
    """The rows that go, by rising number; `groups` (uint64): rows of different groups are never similar.

    Rows are gone through by number. One goes if its set has a Jaccard index of `threshold` or more with that of a
    row that stays; the first `settled` rows always stay. So no row goes for the sake of one that went itself, and of
    rows that stay, no two that were compared are similar.
    """
    sketches, counts = reader.sketches(tables, len(groups))
    some = marked(sketches, groups, np.flatnonzero(counts), settled, threshold)
    if not len(some):
        return
    sketches, groups = sketches[some], groups[some]
    kept = Kept(sketches, groups, threshold)
    with reader.sets(tables, some) as sets:
        for row, number in enumerate(some):
            if number >= settled:
                mine = sets.of(row)
                for other in kept.like(row):
                    index = jaccard(mine, sets.of(other))
                    if index >= threshold:
                        yield Pair(int(number), int(some[other]), float(index))
                        break
                else:
                    kept.keep(row)
            else:
                kept.keep(row)
