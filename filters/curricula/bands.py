"""So much of each band of pass rates, shuffled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from filters.curricula.mixture import Weight
from filters.curricula.quotas import filled, largest, rounded
from filters.difficulty import pass_rate
from filters.mixed import Mixed

if TYPE_CHECKING:
    import polars as pl

BAND = "_band"


class Bands(Mixed):
    """Draws rows by how often their task was solved, so that neither what is trivial nor what is hopeless crowds out
    the rest.

    A pass rate is taken over all rows of the table, before anything is left out; rows of tasks that nobody verified are
    in no band. Without a size there are as many rows as the shares allow where none is seen more often than
    `max_repeats`.
    """

    use_name = "bands"

    edges: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = (0.0, 0.25, 0.75)
    """Where bands end, each included in the band that it ends: (0, 0.25, 0.75) makes never solved, up to 0.25, up to
    0.75, and above."""
    shares: tuple[Weight, ...] = (0.0, 1.0, 2.0, 1.0)
    """Share of each band, relative to the others: one more than edges. 0 leaves a band out."""
    max_repeats: float = Field(default=1.0, ge=1, allow_inf_nan=False)
    """How often a row is seen at most."""

    @model_validator(mode="after")
    def _bands(self) -> Self:
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError(f"edges must rise, and are {', '.join(f'{edge:g}' for edge in self.edges)}")
        if len(self.shares) != len(self.edges) + 1:
            raise ValueError(
                f"{len(self.edges)} edges make {len(self.edges) + 1} bands, and shares has {len(self.shares)}"
            )
        if not any(self.shares):
            raise ValueError("shares are all 0: nothing would stay")
        if self.temperature is not None or self.by != "domain":
            raise ValueError("bands are groups with shares of their own: `temperature` and `by` have no say in them")
        return self

    def steps(self, rows: pl.LazyFrame, seed: int) -> Iterator[tuple[str, pl.LazyFrame]]:
        """See `Mixture.steps`; reads `solved` too."""
        import polars as pl

        rate = pass_rate()
        above = pl.sum_horizontal(pl.lit(0), *((rate > edge).cast(pl.Int64) for edge in self.edges))
        banded = rows.with_columns(pl.when(rate.is_not_null()).then(above).alias(BAND))
        verified = banded.filter(pl.col(BAND).is_not_null())
        yield "verified", verified
        yield from super().steps(verified, seed)

    def drawn(self, rows: pl.LazyFrame, seed: int) -> pl.LazyFrame:
        """See `Mixture.drawn`."""
        return super().drawn(rows, seed).drop(BAND)

    @property
    def _sized(self) -> bool:
        return True

    @property
    def _groups(self) -> str:
        return BAND

    def _size_in_words(self) -> str:
        size = super()._size_in_words()
        return f"shares {':'.join(f'{share:g}' for share in self.shares)}{', ' if size else ''}{size}"

    def amounts(self, cells: pl.DataFrame) -> list[float]:
        """See `Mixture.amounts`: each band has its share of the whole, and cells within it by what is there."""
        import polars as pl

        given = pl.col(BAND).cast(pl.Int64).replace_strict(dict(enumerate(self.shares)), return_dtype=pl.Float64)
        weighed = pl.col("weight") * pl.col("have")
        within = weighed / weighed.sum().over(BAND)
        shares: list[float] = cells.select(share=(given * within).fill_nan(0.0))["share"].to_list()
        have: list[Any] = cells["have"].to_list()
        if self.rows is None and self.tokens is None:
            return [float(amount) for amount in self._as_many_as_can_be(shares, have)]
        amounts = filled(float(self.rows or self.tokens or 0), shares, have, self.max_repeats)
        return amounts if self.tokens is not None else [float(amount) for amount in rounded(amounts)]

    def _as_many_as_can_be(self, shares: list[float], have: list[Any]) -> list[int]:
        whole, total = sum(shares), math.floor(largest(shares, have, self.max_repeats) + 1e-9)
        return rounded([total * share / whole for share in shares]) if whole else [0] * len(shares)
