"""Keeps the first of rows that say nearly the same."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from datafactory.errors import DataError
from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl

PLACE = ("task_id", "attempt", "id")


class NearDuplicate(Spec):
    """Drops rows whose set of word 5-grams has a Jaccard index of `threshold` or more with that of a row that stays.

    Rows are gone through by task and attempt, whatever their order in the file. Candidates come from sketches in
    bands (locality-sensitive hashing), which miss a pair right at the threshold in 3 of 1,000 cases and nearer ones
    hardly ever; each candidate is then proved on the sets themselves, so that no row goes that is not similar to
    the row that its reason names, and that one stays. Memory: half a kilobyte for each row.
    """

    use_name = "near_duplicate"

    on: Literal["messages", "prompt", "trajectory"] = "messages"
    """What must differ: all that was said, the task's prompt (then nearly one attempt stays for each task), or what the
    teacher said and did (its answers, thoughts and tool calls)."""
    threshold: float = Field(default=0.8, ge=0.3, le=1)
    """Jaccard index from which two rows are near-duplicates. Lee et al. (arXiv 2107.06499) look for candidates at 0.8;
    SWE-ZERO keeps rollouts of one task that are under 0.5."""
    ngram: int = Field(default=5, ge=1, le=64)
    """Words of a shingle; a text of fewer words is one shingle."""
    within: Literal["all", "task"] = "all"
    """Whether rows of different tasks are compared."""
    against: tuple[str, ...] = ()
    """Earlier releases, whose rows all stay: Parquet files, folders of them, or folders of runs."""

    def problems(self) -> Iterable[str]:
        """Releases that are not there, or have no such column."""
        from filters.duplicates.releases import release, tables_of

        for place in self.against:
            try:
                for path in tables_of(place):
                    release(path, self._columns())
            except DataError as error:
                yield f"against: {error}"

    def inputs(self) -> Iterable[Path]:
        """The tables of the releases that are there."""
        from filters.duplicates.releases import tables_of

        for place in self.against:
            with contextlib.suppress(DataError):  # which `problems` tells
                yield from tables_of(place)

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `id`, `task_id`, `attempt`, and `messages` or `instruction`; these twice, in batches."""
        import polars as pl

        rows.select(self._columns()).collect_schema()
        own = rows.select(PLACE).collect(engine="streaming")
        if own["id"].n_unique() < own.height:
            again = own.filter(~pl.col("id").is_first_distinct())["id"][0]
            raise DataError(f"near_duplicate: the id {again!r} is there more than once; put `duplicate` before it")
        dropped = self._dropped(rows, own) if own.height else {}
        return pl.col("id").replace_strict(list(dropped), list(dropped.values()), default=None, return_dtype=pl.String)

    def _columns(self) -> list[str]:
        from filters.duplicates.releases import COLUMN

        return [COLUMN[self.on], *(["task_id"] if self.within == "task" else [])]

    def _dropped(self, rows: pl.LazyFrame, own: pl.DataFrame) -> dict[str, str]:
        """For each id that goes, why."""
        import polars as pl

        from filters.duplicates.finding import near_duplicates
        from filters.duplicates.reading import Reader, Table
        from filters.duplicates.releases import release, tables_of

        tables, known, settled = [], list[pl.DataFrame](), 0
        for place in self.against:
            for path in tables_of(place):
                frame = release(path, self._columns())
                names = frame.select("id", *self._columns()[1:]).collect(engine="streaming")
                tables.append(Table(frame, pl.int_range(settled, settled + names.height, eager=True).to_numpy()))
                settled += names.height
                known.append(names.with_columns(pl.format("{} of {}", "id", pl.lit(place)).alias("id")))
        places = own.with_row_index("_at").sort(PLACE).with_row_index("_number", offset=settled).sort("_at")
        tables.append(Table(rows, places["_number"].cast(pl.Int64).to_numpy()))
        known.append(own.sort(PLACE).select("id", *self._columns()[1:]))
        everyone = pl.concat(known)
        groups = everyone["task_id"].rank("dense") if self.within == "task" else pl.zeros(len(everyone), eager=True)
        pairs = near_duplicates(
            tables,
            groups.cast(pl.UInt64).to_numpy(),
            reader=Reader(self.on, self.ngram),
            settled=settled,
            threshold=self.threshold,
        )
        ids = everyone["id"]
        said = "near_duplicate: {} similar to {}"
        return {ids[pair.row]: said.format(_digits(pair.likeness), ids[pair.original]) for pair in pairs}


def _digits(likeness: float) -> str:
    """Two digits, cut off: only equal sets are 1.00 similar."""
    return f"{math.floor(likeness * 100) / 100:.2f}"
