"""Mask: turns that a student should not learn carry no loss; the rows stay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from datafactory.errors import FilterError, boundary
from datafactory.protocols import Marker
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.labels import label, labels
from datafactory.stages.stage import Stage
from datafactory.stages.tables import table_of
from datafactory.storage import TABLE, Shelf
from datafactory.table import FrameWriter, empty, scan
from datafactory.table.lists import items, lists
from datafactory.types import Record, Trajectory

if TYPE_CHECKING:
    import polars as pl

BATCH = 512
"""Rows in memory at a time."""
MASKED = "masked"


class Mask(Stage):
    """Takes the loss off turns that a marker names: `train_turns` is narrowed, and `masked` says why.

    No row is lost and none is changed otherwise; one in which no turn is left to train on stays, too (the filter
    `format` drops it). The first marker that names a turn gives the reason.
    """

    use_name: ClassVar[str] = "mask"
    reads: ClassVar[type[Record] | None] = Trajectory
    writes: ClassVar[type[Record]] = Trajectory
    columnar: ClassVar[bool] = True

    markers: tuple[Annotated[Marker, Component("marker")], ...] = Field(min_length=1)
    """Each sees the rows as they came; a turn is masked where one of them names it."""

    def problems(self) -> Iterable[str]:
        """Markers that already fail on a table without rows."""
        rows = empty()
        for chosen in self.markers:
            try:
                with boundary(FilterError, label(chosen)):
                    rows.select(_marks(chosen, rows)).collect()
            except FilterError as error:
                yield str(error)

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Write `records.parquet`; the manifest says how much was masked."""
        assert source is not None
        await asyncio.to_thread(self._mask, source, run)

    def _mask(self, source: Shelf[Any], run: Run[Any]) -> None:
        import polars as pl

        rows = scan(table_of(source, run))
        counts = {name: {"rows": 0, "turns": 0} for name in labels(self.markers)}
        untrainable = 0
        before = rows if MASKED in rows.collect_schema() else rows.with_columns(_nothing())
        schema = pl.Schema({**before.collect_schema()})
        columns = {f"_mark_{name}": _marks(chosen, rows) for name, chosen in zip(counts, self.markers, strict=True)}
        with FrameWriter(run.shelf.folder / TABLE, schema) as writer, boundary(FilterError, "masking turns"):
            batches = before.with_columns(**columns).collect_batches(chunk_size=BATCH, maintain_order=True)
            for batch in batches:
                narrowed = _narrowed(batch, counts)
                untrainable += int((~narrowed["train_turns"].list.any()).sum())
                writer.write(narrowed.select(*schema))
        run.shelf.tell(writer.rows, {})
        run.shelf.facts |= {"masked": counts, "untrainable": untrainable}
        run.progress.finished = writer.rows


def _nothing() -> pl.Expr:
    """The column of a table that is older than it is."""
    import polars as pl

    return pl.lit([], dtype=pl.List(pl.String)).alias(MASKED)


def _marks(chosen: Marker, rows: pl.LazyFrame) -> pl.Expr:
    """The marker's column, which must be lists of text. Raises FilterError."""
    import polars as pl

    made = chosen.mark(rows).alias(MASKED)
    kind = rows.select(made).collect_schema()[MASKED]
    if kind != pl.List(pl.String):
        raise FilterError(
            f"{type(chosen).__name__}.mark must give lists of text, as long as `messages` (null where a turn keeps its "
            f"loss), not {kind}"
        )
    return made


def _narrowed(batch: pl.DataFrame, counts: dict[str, dict[str, int]]) -> pl.DataFrame:
    """The rows with less loss; what each marker took is added to `counts`. Raises FilterError."""
    import polars as pl

    lengths = batch["messages"].list.len().fill_null(0)
    train = _whole(batch["train_turns"], lengths, "train_turns").fill_null(False)
    before = batch[MASKED]
    told = before.list.len().fill_null(0) > 0
    reasons = pl.repeat(None, len(train), dtype=pl.String, eager=True)
    if told.any():
        blank = lists(reasons, lengths)
        reasons = _whole(pl.select(pl.when(told).then(before).otherwise(blank)).to_series(), lengths, MASKED)
    rows = pl.select(pl.int_range(batch.height).repeat_by(lengths).explode(empty_as_null=False)).to_series()
    for name, count in counts.items():
        found = _whole(batch[f"_mark_{name}"], lengths, name)
        new = found.is_not_null() & train
        count["turns"] += int(new.sum())
        count["rows"] += rows.filter(new).n_unique()
        reasons = pl.select(pl.when(new).then(found).otherwise(reasons)).to_series()
        train = train & ~new
    masked = lists(reasons, lengths).rename(MASKED)
    some = masked.list.eval(pl.element().is_not_null()).list.any()
    kept = pl.select(pl.when(some).then(masked).otherwise(pl.lit([], dtype=pl.List(pl.String)))).to_series()
    return batch.with_columns(lists(train, lengths).alias("train_turns"), kept.alias(MASKED))


def _whole(column: pl.Series, lengths: pl.Series, name: str) -> pl.Series:
    """The items of lists that are as long as `messages`. Raises FilterError."""
    wrong = (column.list.len().fill_null(0) != lengths).arg_true()
    if len(wrong):
        at = int(wrong[0])
        raise FilterError(
            f"{name}: a list of {len(column[at]) if column[at] is not None else 0} for {lengths[at]} messages"
        )
    return items(column)
