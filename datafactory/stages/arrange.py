"""Arrange: a curriculum puts the rows in the order in which a student sees them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, ClassVar

from datafactory.errors import FilterError, boundary
from datafactory.protocols import Curriculum
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.stage import Stage
from datafactory.stages.tables import table_of
from datafactory.storage import TABLE, Shelf
from datafactory.table import scan, write_frame
from datafactory.types import Example, Record, Trajectory


class Arrange(Stage):
    """Makes examples of the rows: the same columns and a `rank`."""

    use_name: ClassVar[str] = "arrange"
    reads: ClassVar[type[Record] | None] = Trajectory
    writes: ClassVar[type[Record]] = Example
    columnar: ClassVar[bool] = True

    curriculum: Annotated[Curriculum, Component("curriculum")]
    """The order, and what is left out or repeated for it."""

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Write `records.parquet`, in order, with `rank` from 0."""
        assert source is not None
        await asyncio.to_thread(self._arrange, source, run)

    def _arrange(self, source: Shelf[Any], run: Run[Any]) -> None:
        import polars as pl

        rows = scan(table_of(source, run))
        with boundary(FilterError, "arranging rows"):
            arranged = self.curriculum.arrange(rows, seed=run.seed)
        if "rank" in arranged.collect_schema().names():
            arranged = arranged.drop("rank")
        ranked = arranged.with_row_index("rank").with_columns(pl.col("rank").cast(pl.Int64))
        count = write_frame(ranked, run.shelf.folder / TABLE)
        run.shelf.tell(count, {})
        run.progress.finished = count
