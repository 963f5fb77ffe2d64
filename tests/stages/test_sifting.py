"""Filters judge together what they would judge one by one, and the table is parted without loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.errors import FilterError
from datafactory.protocols import Filter
from datafactory.spec import Spec
from datafactory.stages.sifting import Decided, decide, part
from datafactory.table import RowWriter, scan


class Above(Spec):
    """Drops rows whose number in a column is above a limit."""

    rowwise: ClassVar[bool] = True
    column: str
    limit: int

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Why a row goes."""
        said = pl.format(f"above: {{}} {self.column} > {self.limit}", pl.col(self.column))
        return pl.when(pl.col(self.column) > self.limit).then(said)


class Slowly(Above):
    """The same without saying that rows can be judged alone."""

    rowwise: ClassVar[bool] = False


class FirstOf(Spec):
    """Keeps the first row of each task that is left: what it says depends on all rows."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Why a row goes."""
        return pl.when(~pl.col("task_id").is_first_distinct()).then(pl.lit("first_of: a later one"))


class Everything(Spec):
    """Drops all rows, by a reason that is no column."""

    rowwise: ClassVar[bool] = True

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Why a row goes."""
        return pl.lit("everything: goes")


class Brittle(Spec):
    """Breaks on rows with many turns."""

    rowwise: ClassVar[bool] = True

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Why a row goes."""

        def look(turns: pl.Series) -> pl.Series:
            if (turns > 5).any():
                raise ValueError("too many turns for me")
            return pl.Series([None] * len(turns), dtype=pl.String)

        return pl.col("n_turns").map_batches(look, return_dtype=pl.String, is_elementwise=True)


def rows(numbers: Sequence[tuple[int, int]]) -> pl.LazyFrame:
    """Rows with so many turns and messages, two to a task."""
    made = [
        {"id": f"t{at // 2}/{at % 2}", "task_id": f"t{at // 2}", "n_turns": turns, "n_messages": messages}
        for at, (turns, messages) in enumerate(numbers)
    ]
    kinds = {"id": pl.String, "task_id": pl.String, "n_turns": pl.Int64, "n_messages": pl.Int64}
    return pl.LazyFrame(made, schema=kinds)


def plainly(frame: pl.LazyFrame, filters: Sequence[Filter]) -> list[tuple[int, str]]:
    """Numbers and reasons of the rows that go, each filter on a table of what the ones before it left."""
    left, gone = frame.with_row_index().collect(), []
    for chosen in filters:
        judged = left.with_columns(chosen.reject(left.lazy()).alias("why"))
        gone += judged.filter(pl.col("why").is_not_null()).select("index", "why").rows()
        left = judged.filter(pl.col("why").is_null()).drop("why")
    return sorted(gone)


def together(decided: Decided) -> list[tuple[int, str]]:
    return decided.dropped.select("_row", "reason").rows()


number = st.integers(0, 9)
rowwise = st.builds(Above, column=st.sampled_from(["n_turns", "n_messages"]), limit=number)
any_filter = rowwise | st.builds(Slowly, column=st.just("n_turns"), limit=number) | st.just(FirstOf())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(number, number), max_size=12), st.lists(any_filter, min_size=1, max_size=4))
def test_filters_in_one_pass_say_what_they_say_one_by_one(numbers, filters):
    frame = rows(numbers)
    assert together(decide(frame, filters)) == plainly(frame, filters)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(number, number), max_size=12), st.lists(rowwise, min_size=2, max_size=4), st.randoms())
def test_the_order_of_rowwise_filters_does_not_change_what_is_kept(numbers, filters, rng):
    mixed = list(filters)
    rng.shuffle(mixed)
    kept, other = (decide(rows(numbers), chosen).dropped["_row"].to_list() for chosen in (filters, mixed))
    assert kept == other


def test_each_filter_is_told_what_it_dropped_and_the_first_reason_wins():
    filters = [Above(column="n_turns", limit=5), Above(column="n_messages", limit=5), FirstOf()]
    decided = decide(rows([(9, 9), (1, 9), (2, 9), (1, 1), (1, 2), (1, 3)]), filters)
    assert decided.counts() == {"Above.2": 2, "Above": 1, "FirstOf": 1} and decided.total == 6
    assert decided.dropped["reason"].to_list() == [
        "above: 9 n_turns > 5",
        "above: 9 n_messages > 5",
        "above: 9 n_messages > 5",
        "first_of: a later one",
    ]


def test_a_reason_that_is_the_same_for_all_rows_drops_them_all():
    assert decide(rows([(1, 1), (2, 2)]), [Everything()]).counts() == {"Everything": 2}
    assert decide(rows([]), [Everything()]).counts() == {}


def test_an_error_names_the_filter_that_made_it():
    filters = [Above(column="n_messages", limit=5), Brittle(), Above(column="n_turns", limit=3)]
    with pytest.raises(FilterError, match=r"filtering with Brittle: .*too many turns for me"):
        decide(rows([(9, 1)]), filters)


def test_a_row_that_an_earlier_filter_drops_breaks_no_later_one():
    decided = decide(rows([(9, 1), (1, 1)]), [Above(column="n_turns", limit=5), Brittle()])
    assert together(decided) == [(0, "above: 9 n_turns > 5")]


def test_a_table_is_parted_in_its_order_and_without_loss(tmp_path: Path):
    with RowWriter(tmp_path / "all.parquet") as writer:
        for at in range(3_000):
            talk = [{"role": "user", "content": f"ünï {at}\n"}, {"role": "assistant", "content": "x" * (at % 50)}]
            row = {"id": f"t{at}/0", "task_id": f"t{at}", "attempt": 0, "n_turns": at % 7, "messages": talk}
            writer.write(row | {"lineage": {"seed": at}, "train_turns": [False, True]})
    frame = scan(tmp_path / "all.parquet")
    decided = decide(frame, [Above(column="n_turns", limit=4)])
    count = part(frame, decided, tmp_path / "kept.parquet", tmp_path / "gone.parquet")
    whole = frame.collect()
    kept, gone = (scan(tmp_path / name).collect() for name in ("kept.parquet", "gone.parquet"))
    assert kept.equals(whole.filter(pl.col("n_turns") <= 4)) and count == kept.height
    assert gone.drop("filter", "reason").equals(whole.filter(pl.col("n_turns") > 4))
    assert gone["filter"].unique().to_list() == ["Above"] and gone["reason"][0] == "above: 5 n_turns > 4"
    stored = [pq.read_schema(tmp_path / name) for name in ("all.parquet", "kept.parquet")]
    assert stored[0].remove_metadata() == stored[1].remove_metadata()


def test_a_table_without_rows_is_parted_into_two_of_them(tmp_path: Path):
    decided = decide(rows([]), [FirstOf()])
    assert part(rows([]), decided, tmp_path / "kept.parquet", tmp_path / "gone.parquet") == 0
    assert scan(tmp_path / "gone.parquet").collect().columns[-2:] == ["filter", "reason"]
