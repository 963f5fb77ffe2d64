"""Select: filters decide which rows stay; what they drop stays on file with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from datafactory.errors import FilterError, boundary
from datafactory.protocols import Filter
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.labels import label, labels
from datafactory.stages.stage import Stage
from datafactory.stages.tables import table_of
from datafactory.storage import REJECTED, TABLE, Shelf
from datafactory.table import empty, scan, write_frame
from datafactory.types import Record, Trajectory

if TYPE_CHECKING:
    import polars as pl


class Select(Stage):
    """Keeps the rows that no filter rejects; each filter sees what the ones before it kept."""

    use_name: ClassVar[str] = "select"
    reads: ClassVar[type[Record] | None] = Trajectory
    writes: ClassVar[type[Record]] = Trajectory
    columnar: ClassVar[bool] = True

    filters: tuple[Annotated[Filter, Component("filter")], ...] = Field(min_length=1)
    """Applied in order."""

    def problems(self) -> Iterable[str]:
        """Filters that already fail on a table without rows."""
        rows = empty()
        for chosen in self.filters:
            try:
                with boundary(FilterError, label(chosen)):
                    rows.select(_reason(chosen, rows)).collect()
            except FilterError as error:
                yield str(error)

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Write `records.parquet` and `rejects.parquet`."""
        assert source is not None
        await asyncio.to_thread(self._select, source, run)

    def _select(self, source: Shelf[Any], run: Run[Any]) -> None:
        import polars as pl

        rows = scan(table_of(source, run))
        decided = self._decide(rows)
        kept = rows.join(decided.lazy(), on="id", how="anti", maintain_order="left")
        dropped = rows.join(decided.lazy(), on="id", how="inner", maintain_order="left")
        write_frame(dropped, run.shelf.folder / REJECTED)
        count = write_frame(kept, run.shelf.folder / TABLE)
        reasons = decided.group_by(pl.col("filter")).len().sort("len", "filter", descending=[True, False])
        run.shelf.tell(count, dict(reasons.iter_rows()))
        run.progress.finished = count + decided.height

    def _decide(self, rows: pl.LazyFrame) -> pl.DataFrame:
        """Which rows go: `id`, `filter`, `reason`; only these are held in memory."""
        import polars as pl

        decided = pl.DataFrame(schema={"id": pl.String, "filter": pl.String, "reason": pl.String})
        for name, chosen in zip(labels(self.filters), self.filters, strict=True):
            left = rows.join(decided.lazy(), on="id", how="anti", maintain_order="left")
            with boundary(FilterError, f"filtering with {label(chosen)}"):
                named = left.select("id", pl.lit(name).alias("filter"), _reason(chosen, left))
                found = named.filter(pl.col("reason").is_not_null())
                decided = pl.concat([decided, found.collect(engine="streaming")])
        return decided


def _reason(chosen: Filter, rows: pl.LazyFrame) -> pl.Expr:
    """The filter's column, which must be text: null keeps a row, and a `true` is no reason. Raises FilterError."""
    import polars as pl

    made = chosen.reject(rows).alias("reason")
    kind = rows.select(made).collect_schema()["reason"]
    if kind not in (pl.String, pl.Null):
        raise FilterError(
            f"{type(chosen).__name__}.reject must give a column of text (null keeps, text drops), not {kind}"
        )
    return made.cast(pl.String)
