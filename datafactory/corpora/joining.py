"""The second pass of building a corpus: urls are looked up and links joined, a part at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import numpy as np

Array = np.ndarray[Any, Any]

PART = 1 << 20
"""Rows that are held in memory at a time: about a hundred bytes each while they are worked on."""


def parts(count: int, size: int = PART) -> Iterator[slice]:
    """Slices that cover `count` rows, in order."""
    return (slice(at, min(at + size, count)) for at in range(0, count, size))


def ordered(marks: Array, size: int = PART) -> Iterator[Array]:
    """Positions of the marks in ascending order of the marks, equal ones in the order that they came; a part at a time.

    Marks are even over 64 bits, so that ranges of them are about equally large.
    """
    wanted = -(-len(marks) // size)
    step = -(-(1 << 64) // max(wanted, 1))
    for number in range(wanted):
        low, high = number * step, min((number + 1) * step, 1 << 64) - 1
        found = []
        for rows in parts(len(marks), size):
            part = np.asarray(marks[rows])
            found.append(np.flatnonzero((part >= np.uint64(low)) & (part <= np.uint64(high))) + rows.start)
        here = np.concatenate(found)
        yield here[np.argsort(marks[here], kind="stable")]


def again(marks: Array, size: int = PART) -> Iterator[tuple[Array, Array]]:
    """Positions of marks that were there before, and beside each the position of the first of them."""
    for order in ordered(marks, size):
        if not len(order):
            continue
        same = marks[order[1:]] == marks[order[:-1]]
        if not same.any():
            continue
        first = np.zeros(len(order), dtype=np.int64)
        first[1:][~same] = np.flatnonzero(~same) + 1
        np.maximum.accumulate(first, out=first)
        where = np.flatnonzero(same) + 1
        yield order[where], order[first[where]]


class Table:
    """Sorted marks and the page of each, looked up many at a time."""

    def __init__(self, marks: Array, numbers: Array) -> None:
        self.marks, self.numbers = marks, numbers

    def pages(self, wanted: Array) -> Array:
        """The page of each mark, -1 where there is none."""
        if not len(self.marks):
            return np.full(len(wanted), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.marks, wanted), len(self.marks) - 1)
        return np.where(self.marks[at] == wanted, self.numbers[at].astype(np.int64), -1)

    def targets(self, pairs: Array) -> Array:
        """The page of each link, which is two marks: of its url, and of that without a fragment; -1 for none."""
        found = self.pages(pairs[:, 0])
        lost = np.flatnonzero(found < 0)
        found[lost] = self.pages(pairs[lost, 1])
        return found


def write_table(marks: Array, numbers: Array, marks_to: IO[bytes], numbers_to: IO[bytes]) -> int:
    """Write marks in order and the page of each, each mark once (the first of equal ones); how many those are."""
    count = 0
    for order in ordered(marks):
        found = np.asarray(marks[order])
        new = np.ones(len(order), dtype=bool)
        new[1:] = found[1:] != found[:-1]
        marks_to.write(found[new].tobytes())
        numbers_to.write(numbers[order[new]].astype("<u4").tobytes())
        count += int(new.sum())
    return count


def joined(
    table: Table, links: Array, counts: Array, renumbered: Array, size: int = PART
) -> Iterator[tuple[Array, Array]]:
    """Links in the order of their pages: pages that link, and the pages that they link to; each pair once.

    `renumbered` has the number that each page of the draft has in the corpus, -1 for one that is not in it.
    """
    ends = np.cumsum(counts)
    first = 0
    while first < len(counts):
        start = int(ends[first - 1]) if first else 0
        last = max(int(np.searchsorted(ends, start + size, side="right")), first + 1)
        sources = np.repeat(renumbered[first:last], counts[first:last])
        targets = table.targets(np.asarray(links[start : int(ends[last - 1])]))
        kept = (sources >= 0) & (targets >= 0) & (sources != targets)
        sources, targets = sources[kept], targets[kept]
        _, once = np.unique(sources * np.int64(1 << 32) + targets, return_index=True)
        once.sort()
        yield sources[once], targets[once]
        first = last


def turned(bounds: Array, targets: Array, pages: int, size: int = PART) -> Iterator[tuple[Array, Array]]:
    """The same links the other way: pages that are linked to, in order, and the pages that link to each, in order."""
    amounts = np.zeros(pages + 1, dtype=np.int64)
    for rows in parts(len(targets), size):
        amounts[1:] += np.bincount(targets[rows], minlength=pages)
    ends = np.cumsum(amounts)
    first = 0
    while first < pages:
        last = min(max(int(np.searchsorted(ends, ends[first] + size, side="right")) - 1, first + 1), pages)
        to, come = [], []
        for rows in parts(len(targets), size):
            part = np.asarray(targets[rows])
            here = np.flatnonzero((part >= first) & (part < last))
            to.append(part[here].astype(np.int64))
            come.append(np.searchsorted(bounds, here + rows.start, side="right") - 1)
        targeted, sources = np.concatenate([*to, np.empty(0, np.int64)]), np.concatenate([*come, np.empty(0, np.int64)])
        order = np.argsort(targeted, kind="stable")
        yield targeted[order], sources[order]
        first = last
