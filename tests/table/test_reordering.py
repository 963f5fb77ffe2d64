"""Rows in another order, however little of them fits in memory."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.table import RowWriter, scan, write_in_order


def made(path: Path, count: int) -> pl.LazyFrame:
    """A table of the dataset with so many rows."""
    with RowWriter(path) as writer:
        for at in range(count):
            talk = [{"role": "user", "content": f"row {at} " * (at % 9)}]
            writer.write(
                {"id": f"t{at}/0", "task_id": f"t{at}", "attempt": 0, "messages": talk, "train_turns": [False]}
            )
    return scan(path)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pl.LazyFrame:
    return made(tmp_path_factory.mktemp("rows") / "rows.parquet", 2_500)


@pytest.mark.parametrize("held", [1, 20_000, 1 << 30])
def test_rows_come_in_the_order_that_was_asked_for(rows: pl.LazyFrame, tmp_path: Path, held: int):
    numbers = random.Random(held).choices(range(2_500), k=3_000)
    order = pl.DataFrame({"rank": range(3_000), "at": numbers})
    assert write_in_order(rows, order, tmp_path / "made.parquet", number="at", held=held) == 3_000
    found, whole = scan(tmp_path / "made.parquet").collect(), rows.collect()
    assert found["rank"].to_list() == list(range(3_000))
    assert found.drop("rank").equals(whole[numbers])
    assert [path.name for path in tmp_path.iterdir()] == ["made.parquet"]


@settings(max_examples=15, deadline=None)
@given(numbers=st.lists(st.integers(0, 5), max_size=12), held=st.sampled_from([1, 100, 10**6]))
def test_rows_may_be_left_out_and_repeated(tmp_path_factory: pytest.TempPathFactory, numbers: list[int], held: int):
    path = tmp_path_factory.mktemp("few") / "made.parquet"
    few = pl.LazyFrame({"id": list("abcdef"), "rank": [9] * 6})
    order = pl.DataFrame({"at": numbers, "rank": range(len(numbers))}, schema={"at": pl.Int64, "rank": pl.Int64})
    assert write_in_order(few, order, path, number="at", held=held) == len(numbers)
    found = scan(path).collect()
    assert found["id"].to_list() == ["abcdef"[number] for number in numbers]
    assert found["rank"].to_list() == list(range(len(numbers)))
