"""Select: filters decide which rows stay; what they drop stays on file with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from datafactory.errors import FilterError, boundary
from datafactory.protocols import Filter, Measured
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.labels import label, labels
from datafactory.stages.sifting import decide, part, reason
from datafactory.stages.stage import Stage
from datafactory.stages.tables import table_of
from datafactory.storage import REJECTED, TABLE, Shelf
from datafactory.table import empty, scan
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
                    rows.select(reason(chosen, rows)).collect()
            except FilterError as error:
                yield str(error)

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Write `records.parquet` and `rejects.parquet`."""
        assert source is not None
        await asyncio.to_thread(self._select, source, run)

    def _select(self, source: Shelf[Any], run: Run[Any]) -> None:
        rows = scan(table_of(source, run))
        decided = decide(rows, self.filters)
        count = part(rows, decided, run.shelf.folder / TABLE, run.shelf.folder / REJECTED)
        run.shelf.tell(count, decided.counts())
        run.shelf.facts |= self._measured(rows)
        run.progress.finished = decided.total

    def _measured(self, rows: pl.LazyFrame) -> dict[str, Any]:
        """For the manifest: how far filters that can say it (`Measured`) are right, on all rows, whatever filters stand
        before them. Raises FilterError."""
        found = {}
        for name, chosen in zip(labels(self.filters), self.filters, strict=True):
            if isinstance(chosen, Measured):
                with boundary(FilterError, f"measuring {name}"):
                    found[name] = chosen.measure(rows)
        return {"measured": found} if found else {}
