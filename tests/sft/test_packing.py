"""Packs hold every row once, whole, and hardly a place is left empty."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.packing import packed


@given(st.lists(st.integers(1, 50), max_size=80), st.integers(50, 90), st.integers(1, 100))
def test_every_row_is_in_one_pack_and_fits(lengths: list[int], capacity: int, window: int) -> None:
    packs = packed(lengths, capacity, window=window)
    assert sorted(row for pack in packs for row in pack) == list(range(len(lengths)))
    assert all(sum(lengths[row] for row in pack) <= capacity for pack in packs)
    windows = [{row // window for row in pack} for pack in packs]
    assert all(len(numbers) == 1 for numbers in windows), "rows of one window stay together"
    assert [min(numbers) for numbers in windows] == sorted(min(numbers) for numbers in windows)


def test_hardly_a_place_is_empty() -> None:
    draw = random.Random(1)
    lengths = [min(8192, int(draw.lognormvariate(7.2, 0.9)) + 1) for _ in range(5000)]
    packs = packed(lengths, 8192)
    assert sum(lengths) / (len(packs) * 8192) > 0.98


def test_long_rows_do_not_come_first() -> None:
    draw = random.Random(2)
    lengths = [draw.randint(1, 1000) for _ in range(400)]
    longest = [max(lengths[row] for row in pack) for pack in packed(lengths, 1000)]
    half = len(longest) // 2
    assert abs(sum(longest[:half]) / half - sum(longest[half:]) / (len(longest) - half)) < 60
    assert packed(lengths, 1000) == packed(lengths, 1000) != packed(lengths, 1000, seed=1)


def test_a_row_that_is_too_long_is_no_row_of_a_pack() -> None:
    with pytest.raises(ValueError, match="longer than a pack of 10 tokens"):
        packed([3, 11], 10)
