"""Arranging reads what the curriculum looks at, and puts whole rows in its order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from datafactory.errors import FilterError
from datafactory.spec import Spec
from datafactory.stages.arrange import Arrange
from datafactory.storage import TABLE
from datafactory.table import RowWriter, scan


class Backwards(Spec):
    """The last row first, the first twice, and a column that says so."""

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """The rows in order."""
        turned = rows.reverse()
        return pl.concat([turned, turned.tail(1)]).with_columns(leg=pl.lit("end"))


class Ids(Spec):
    """Keeps nothing but ids."""

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """The rows in order."""
        return rows.select("id")


def arranged(folder: Path, curriculum: Spec) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows before and after."""
    before, after = folder / "before", folder / "after"
    before.mkdir()
    after.mkdir()
    with RowWriter(before / TABLE) as writer:
        for at in range(5):
            writer.write({"id": f"t{at}/0", "messages": [{"role": "user", "content": f"row {at}"}]})
    shelf = SimpleNamespace(folder=after, tell=lambda kept, dropped: None)
    run: Any = SimpleNamespace(shelf=shelf, seed=7, progress=SimpleNamespace(finished=0))
    source: Any = SimpleNamespace(folder=before)
    asyncio.run(Arrange(curriculum=curriculum).run(source, run))
    return scan(before / TABLE).collect(), scan(after / TABLE).collect()


def test_rows_are_sorted_repeated_and_ranked_and_new_columns_stay(tmp_path: Path):
    before, after = arranged(tmp_path, Backwards())
    assert after["rank"].to_list() == [0, 1, 2, 3, 4, 5]
    assert after["leg"].to_list() == ["end"] * 6
    assert after.drop("rank", "leg").equals(before[[4, 3, 2, 1, 0, 0]])


def test_a_curriculum_that_loses_the_rows_is_told_what_it_may_do(tmp_path: Path):
    with pytest.raises(FilterError, match=r"Ids\.arrange must keep the columns of the rows, of which _row says"):
        arranged(tmp_path, Ids())
