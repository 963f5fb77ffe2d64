"""Filters judge the rows of a table that may be larger than memory, and the table is parted by what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory.errors import FilterError, boundary
from datafactory.protocols import Filter
from datafactory.stages.labels import label, labels
from datafactory.table import FrameWriter

if TYPE_CHECKING:
    import polars as pl

ROW = "_row"
"""Number of a row in its table, from 0, while filters judge."""
BATCH = 512
"""Rows in memory at a time when the table is parted."""


@dataclass(frozen=True)
class Decided:
    """Which rows of a table go."""

    total: int
    """Rows that were judged."""
    dropped: pl.DataFrame
    """`_row` (rising), `filter` (its label in the pipeline) and `reason` of each row that goes."""

    def counts(self) -> dict[str, int]:
        """Rows that each filter dropped, most first; filters that dropped none are left out."""
        import polars as pl

        counted = self.dropped.group_by("filter").agg(pl.len()).sort("len", "filter", descending=[True, False])
        return dict(counted.iter_rows())


def decide(rows: pl.LazyFrame, filters: Sequence[Filter]) -> Decided:
    """What the filters say, each of what the ones before it kept; only rows that go are held in memory.

    Filters that follow each other and judge row by row (`rowwise`) share one pass over the table. Raises FilterError.
    """
    import numpy as np
    import polars as pl

    numbered = rows.with_row_index(ROW)
    alive = np.ones(rows.select(pl.len()).collect().item(), np.bool_)
    found = [pl.DataFrame(schema={ROW: pl.get_index_type(), "filter": pl.String, "reason": pl.String})]
    for chosen in _passes(filters):
        found += _dropped(numbered, alive, chosen)
    return Decided(len(alive), pl.concat(found).sort(ROW))


def part(rows: pl.LazyFrame, decided: Decided, kept: Path, dropped: Path) -> int:
    """Write the rows that stay to one file and those that go, with `filter` and `reason`, to another, both in the
    order of the table; how many stay. Raises StorageError."""
    import numpy as np
    import polars as pl

    schema, gone = rows.collect_schema(), decided.dropped[ROW].to_numpy()
    why = decided.dropped.drop(ROW)
    at = 0
    with (
        FrameWriter(kept, schema) as staying,
        FrameWriter(dropped, pl.Schema({**schema, **why.schema})) as going,
    ):
        for batch in rows.collect_batches(chunk_size=BATCH, maintain_order=True):
            first, last = np.searchsorted(gone, [at, at + batch.height])
            stays = np.ones(batch.height, np.bool_)
            stays[gone[first:last] - at] = False
            staying.write(batch.filter(stays))
            going.write(batch.filter(~stays).hstack(why[first:last]))
            at += batch.height
    return staying.rows


def reason(chosen: Filter, rows: pl.LazyFrame) -> pl.Expr:
    """The filter's column, which must be text: null keeps a row, and a `true` is no reason. Raises FilterError."""
    import polars as pl

    made = chosen.reject(rows).alias("reason")
    kind = rows.select(made).collect_schema()["reason"]
    if kind not in (pl.String, pl.Null):
        raise FilterError(
            f"{type(chosen).__name__}.reject must give a column of text (null keeps, text drops), not {kind}"
        )
    return made.cast(pl.String)


def _passes(filters: Sequence[Filter]) -> Iterator[list[tuple[str, Filter]]]:
    """The filters by label, those together that one pass can judge with."""
    named = zip(labels(filters), filters, strict=True)
    for rowwise, run in groupby(named, key=lambda one: getattr(one[1], "rowwise", False) is True):
        if rowwise:
            yield list(run)
        else:
            yield from ([one] for one in run)


def _left(numbered: pl.LazyFrame, alive: Any) -> pl.LazyFrame:
    """The rows that are still there; a lookup by number streams, where a join by id would gather the rows."""
    import polars as pl

    if alive.all():
        return numbered
    there = alive.copy()

    def look(numbers: pl.Series) -> pl.Series:
        return pl.Series(there[numbers.to_numpy()])

    return numbered.filter(pl.col(ROW).map_batches(look, return_dtype=pl.Boolean, is_elementwise=True))


def _dropped(numbered: pl.LazyFrame, alive: Any, chosen: Sequence[tuple[str, Filter]]) -> list[pl.DataFrame]:
    """The rows that go, which are no longer alive then. A pass that fails is done again filter by filter, so that the
    error names the culprit, and rows that an earlier filter drops can break no later one."""
    try:
        gone = _judged(_left(numbered, alive), chosen)
    except FilterError:
        if len(chosen) == 1:
            raise
        return [frame for one in chosen for frame in _dropped(numbered, alive, [one])]
    alive[gone[ROW].to_numpy()] = False
    return [gone]


def _judged(left: pl.LazyFrame, chosen: Sequence[tuple[str, Filter]]) -> pl.DataFrame:
    """The rows that go: `_row`, the first filter that drops it, and its reason."""
    import polars as pl

    rows = left.drop(ROW)
    with boundary(FilterError, f"filtering with {', '.join(label(one) for _, one in chosen)}"):
        columns = {f"_reason_{at}": reason(one, rows) for at, (_, one) in enumerate(chosen)}
        found = left.select(ROW, **columns).filter(pl.any_horizontal(pl.col(*columns).is_not_null()))
        first = pl.coalesce(
            pl.when(pl.col(column).is_not_null()).then(pl.lit(name))
            for column, (name, _) in zip(columns, chosen, strict=True)
        )
        return found.select(ROW, filter=first, reason=pl.coalesce(*columns)).collect(engine="streaming")
