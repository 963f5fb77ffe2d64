"""What of the rows is taken, and how often: caps, weights and a size, for a whole curriculum or one phase of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from datafactory.spec import Spec
from filters.curricula.drawing import first, share

if TYPE_CHECKING:
    import polars as pl

COPY = "_copy"
"""Number of a row's copy, from 0; there while rows are drawn."""

Weight = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class Mixture(Spec):
    """Caps first, then weights, then the size."""

    max_per_task: int | None = Field(default=None, ge=1)
    """Attempts of one task at most, drawn at random; None: all."""
    max_per_repo: int | None = Field(default=None, ge=1)
    """Rows of one repository at most, drawn at random; rows of none have no such cap."""
    domains: dict[str, Weight] = {}
    """How often the rows of a domain are seen: 0.5 keeps a random half, 2 repeats each, 1 is what others get."""
    temperature: float | None = Field(default=None, gt=0)
    """Evens the domains out: each gets a share proportional to its rows to the power of 1 / temperature, with the
    largest kept as it is. 1 changes nothing; the larger, the more evenly. Rows of small domains are repeated."""
    size: int | None = Field(default=None, ge=1)
    """Rows at most, drawn at random from what the other keys leave."""

    def drawn(self, rows: pl.LazyFrame, seed: int) -> pl.LazyFrame:
        """The rows as often as they are to be seen, with `COPY`. Reads `id`, `task_id`, `repo` and `domain`, each where
        it is needed."""
        import polars as pl

        if self.max_per_task is not None:
            rows = rows.filter(first("attempt", seed, self.max_per_task, "task_id"))
        if self.max_per_repo is not None:
            rows = rows.filter((pl.col("repo") == "") | first("repo", seed, self.max_per_repo, "repo"))
        rows = self._weighted(rows, seed)
        if self.size is not None:
            rows = rows.filter(share("size", seed, COPY).rank("ordinal") <= self.size)
        return rows

    def _weighted(self, rows: pl.LazyFrame, seed: int) -> pl.LazyFrame:
        import polars as pl

        if not self.domains and self.temperature is None:
            return rows.with_columns(pl.lit(0, pl.Int64).alias(COPY))
        weight = pl.lit(1.0)
        if self.domains:
            weight = pl.col("domain").replace_strict(self.domains, default=1.0, return_dtype=pl.Float64)
        if self.temperature is not None:
            count = pl.len().over("domain")
            weight = weight * (count.max() / count) ** (1 - 1 / self.temperature)
        copies = weight.floor() + (share("weight", seed) < weight - weight.floor()).cast(pl.Float64)
        numbered = rows.with_columns(pl.int_ranges(0, copies.cast(pl.Int64)).alias(COPY))
        return numbered.filter(pl.col(COPY).list.len() > 0).explode(COPY)
