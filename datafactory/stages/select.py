"""Select: filters decide which rows stay; what they drop stays on file with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

from pydantic import Field

from datafactory.errors import FilterError, boundary
from datafactory.protocols import Filter
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.labels import label
from datafactory.stages.sifting import decide, part, reason
from datafactory.stages.stage import Stage
from datafactory.stages.tables import table_of
from datafactory.storage import REJECTED, TABLE, Shelf
from datafactory.table import empty, scan
from datafactory.types import Record, Trajectory


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
        run.progress.finished = decided.total
