"""Arrange: a curriculum puts the rows in the order in which a student sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from datafactory.errors import ConfigError, FilterError, boundary
from datafactory.protocols import Curriculum
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.labels import label
from datafactory.stages.sifting import ROW
from datafactory.stages.stage import Stage
from datafactory.stages.tables import table_of
from datafactory.storage import TABLE, Shelf
from datafactory.table import empty, scan, write_in_order
from datafactory.types import Example, Record, Trajectory

if TYPE_CHECKING:
    import polars as pl


class Arrange(Stage):
    """Makes examples of the rows: the same columns and a `rank`."""

    use_name: ClassVar[str] = "arrange"
    reads: ClassVar[type[Record] | None] = Trajectory
    writes: ClassVar[type[Record]] = Example
    columnar: ClassVar[bool] = True

    curriculum: Annotated[Curriculum, Component("curriculum")]
    """The order, and what is left out or repeated for it."""

    def problems(self) -> Iterable[str]:
        """A curriculum that already fails on a table without rows."""
        try:
            order(self.curriculum, empty(), 0)
        except (ConfigError, FilterError) as error:
            yield str(error)

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Write `records.parquet`, in order, with `rank` from 0."""
        assert source is not None
        await asyncio.to_thread(self._arrange, source, run)

    def _arrange(self, source: Shelf[Any], run: Run[Any]) -> None:
        rows = scan(table_of(source, run))
        left, places = order(self.curriculum, rows, run.seed)
        count = write_in_order(left, places, run.shelf.folder / TABLE, number=ROW)
        run.shelf.tell(count, {})
        run.progress.finished = count


def order(curriculum: Curriculum, rows: pl.LazyFrame, seed: int) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """The columns that the curriculum keeps, and for each rank the number of its row (`_row`), with new columns.

    Only the columns that the curriculum looks at are read for it: conversations stay on disk. Raises FilterError.
    """
    import polars as pl

    with boundary(FilterError, f"arranging rows with {label(curriculum)}"):
        arranged = curriculum.arrange(rows.with_row_index(ROW), seed=seed)
        known, made = rows.collect_schema().names(), arranged.collect_schema().names()
        if ROW not in made:
            raise FilterError(
                f"{type(curriculum).__name__}.arrange must keep the columns of the rows, of which {ROW} says "
                "where they lie; it may sort, leave out and repeat rows, and add columns"
            )
        added = [name for name in made if name not in (*known, ROW, "rank")]
        places = arranged.select(ROW, *added).collect(engine="streaming")
    ranked = places.with_row_index("rank").with_columns(pl.col("rank").cast(pl.Int64))
    return rows.select(name for name in known if name in made), ranked
