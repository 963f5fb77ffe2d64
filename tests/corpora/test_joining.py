"""Looking up and joining a part at a time gives what all at once would give."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from datafactory.corpora import joining
from datafactory.corpora.joining import Table, again, joined, ordered, turned


def marks(count: int, kinds: int) -> joining.Array:
    """Random marks over all 64 bits, some of them alike."""
    rng = np.random.default_rng(3)
    return rng.choice(rng.integers(0, 1 << 64, kinds, dtype=np.uint64, endpoint=False), count)


def told(parts: Iterable[tuple[joining.Array, joining.Array]]) -> list[tuple[int, int]]:
    """All pairs of all parts."""
    return [pair for both in parts for pair in zip(*(each.tolist() for each in both), strict=True)]


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_marks_in_parts_are_in_order_and_equal_ones_as_they_came(size: int) -> None:
    made = marks(200, 60)
    order = np.concatenate(list(ordered(made, size)))
    assert order.tolist() == np.argsort(made, kind="stable").tolist()
    assert list(ordered(made[:0], size)) == []


@pytest.mark.parametrize("size", [7, 10_000])
def test_a_mark_that_came_before_is_told_with_where(size: int) -> None:
    made = marks(400, 90).tolist()
    found = {}
    for doubles, firsts in again(np.array(made, dtype=np.uint64), size):
        found |= dict(zip(doubles.tolist(), firsts.tolist(), strict=True))
    assert found == {at: made.index(mark) for at, mark in enumerate(made) if made.index(mark) != at}


def test_the_ends_of_the_range_of_marks_are_found() -> None:
    made = np.array([(1 << 64) - 1, 0, 1 << 63, 5], dtype=np.uint64)
    assert np.concatenate(list(ordered(made, 1))).tolist() == [1, 3, 2, 0]
    table = Table(np.sort(made), np.array([10, 11, 12, 13], dtype=np.uint32))
    assert table.pages(np.array([0, 6, (1 << 64) - 1], dtype=np.uint64)).tolist() == [10, -1, 13]
    assert Table(made[:0], made[:0]).pages(made).tolist() == [-1] * 4


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_links_are_joined_and_turned_alike_in_small_parts_and_in_large(size: int) -> None:
    rng = np.random.default_rng(size)
    pages = 60
    own = np.unique(rng.integers(0, 1 << 64, pages, dtype=np.uint64))
    counts = rng.integers(0, 6, pages)
    targets = rng.integers(0, pages + 10, counts.sum())
    unknown = np.arange(10, dtype=np.uint64)
    pairs = np.concatenate([own, unknown])[targets]
    numbers = np.arange(pages)
    numbers[7] = -1
    numbers[8:] -= 1
    table = Table(np.delete(own, 7), np.arange(pages - 1).astype(np.uint32))
    found = told(joined(table, np.stack([pairs, pairs], 1), counts, numbers, size))
    sources = np.repeat(np.arange(pages), counts)
    written = zip(sources, targets, strict=True)
    wanted = [(numbers[s], numbers[t]) for s, t in written if s != 7 and t not in (7, s) and t < pages]
    assert found == list(dict.fromkeys(wanted))
    to = np.array([target for _, target in found])
    bounds = np.searchsorted(np.array([source for source, _ in found]), np.arange(pages))
    back = told(turned(bounds, to, pages - 1, size))
    assert back == sorted((target, source) for source, target in found)
