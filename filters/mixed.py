"""One mixed stage: all rows, shuffled once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl

DIGITS = 12
"""Hex digits of a hash that decide a draw: 48 bits, exact in a float."""


class Mixed(Spec):
    """Shuffles all rows into one stage of training.

    Mixing everything in one stage beat two stages, easy first, by 2.6 points in Terminal-Task-Gen
    (arXiv 2602.21193). A row's place follows from SHA-256 of seed and id alone, so it is the same on
    every machine, and a row that is added or dropped does not reshuffle the others.
    """

    use_name = "mixed"

    max_per_task: int | None = Field(default=None, ge=1)
    """Attempts of one task at most, drawn at random; None: all."""
    domains: dict[str, Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]] = {}
    """How often the rows of a domain are seen: 0.5 keeps a random half, 2 repeats each, 1 is what others get."""

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """Reads `id`, `task_id` and `domain`; keeps the columns as they are."""

        drawn = rows
        if self.max_per_task is not None:
            drawn = drawn.filter(_hashed("attempt", seed).rank("ordinal").over("task_id") <= self.max_per_task)
        if self.domains:
            drawn = self._weighted(drawn, seed)
        copy = "_copy" if self.domains else ""
        return (
            drawn.with_columns(_place=_hashed("place", seed, copy)).sort("_place").drop("_place", "_copy", strict=False)
        )

    def _weighted(self, rows: pl.LazyFrame, seed: int) -> pl.LazyFrame:
        """The rows as often as their domain's weight says, with the copy's number in `_copy`."""
        import polars as pl

        weight = pl.col("domain").replace_strict(self.domains, default=1.0, return_dtype=pl.Float64)
        draw = _hashed("weight", seed)
        share = draw.str.head(DIGITS).str.to_integer(base=16).cast(pl.Float64) / float(16**DIGITS)
        copies = weight.floor() + (share < weight - weight.floor()).cast(pl.Float64)
        numbered = rows.with_columns(_copy=pl.int_ranges(0, copies.cast(pl.Int64)))
        return numbered.filter(pl.col("_copy").list.len() > 0).explode("_copy")


def _hashed(purpose: str, seed: int, copy: str = "") -> pl.Expr:
    """SHA-256 (hex) of purpose, seed, the row's id and its copy's number; polars' own hash may change by version.

    Each purpose draws anew: were one draw used twice, the attempts that it kept would also gather at the front.
    """
    import polars as pl

    def digests(column: pl.Series) -> pl.Series:
        made = [hashlib.sha256(f"{purpose}/{seed}/{item}".encode()).hexdigest() for item in column]
        return pl.Series(column.name, made, dtype=pl.String)

    text = pl.concat_str([pl.col(copy), pl.col("id")], separator="/") if copy else pl.col("id")
    return text.map_batches(digests, return_dtype=pl.String, is_elementwise=True)
