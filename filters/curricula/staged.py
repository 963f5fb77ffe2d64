"""Several phases of training, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from datafactory.errors import FilterError
from datafactory.spec import Spec
from filters.curricula.drawing import shuffled
from filters.curricula.mixture import COPY, Mixture

if TYPE_CHECKING:
    import polars as pl


class Phase(Mixture):
    """The rows of one phase, and what of them is taken."""

    where: dict[str, str | bool | tuple[str, ...]] = Field(min_length=1)
    """For columns of the dataset the value, or the values, that a row of this phase has."""

    def holds(self, rows: pl.LazyFrame) -> pl.Expr:
        """Whether a row is of this phase. Raises FilterError for a column that is not there."""
        import polars as pl

        known = rows.collect_schema().names()
        if unknown := [name for name in self.where if name not in known]:
            raise FilterError(f"staged: where: the rows have no column {unknown[0]!r}")
        tests = [
            pl.col(name).is_in(value) if isinstance(value, tuple) else pl.col(name) == value
            for name, value in self.where.items()
        ]
        return pl.all_horizontal(tests).fill_null(False)


class Staged(Spec):
    """Puts rows into phases by what they are: execution-free attempts first, then execution-backed ones, as SWE-HERO
    does (arXiv 2604.01496: 62.2 against 55.7 for the second phase alone). Each phase is shuffled for itself.

    A row is of the first phase that it fits. The column `phase` says which, from 0.
    """

    use_name = "staged"

    phases: tuple[Phase, ...] = Field(min_length=1)
    """In order."""
    rest: Literal["last", "first", "drop"] = "last"
    """Where rows go that fit no phase: to the last, to the first, or nowhere."""

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """Reads `id` and the columns that phases name; adds `phase`."""
        import polars as pl

        number = pl.lit({"last": len(self.phases) - 1, "first": 0, "drop": None}[self.rest], pl.Int64)
        for place, phase in reversed(list(enumerate(self.phases))):
            number = pl.when(phase.holds(rows)).then(pl.lit(place, pl.Int64)).otherwise(number)
        told = rows.with_columns(phase=number)
        parts = [
            shuffled(phase.drawn(told.filter(pl.col("phase") == place), seed), seed, COPY).drop(COPY)
            for place, phase in enumerate(self.phases)
        ]
        return pl.concat(parts)
