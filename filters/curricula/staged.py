"""One phase after another, each with rows and an order of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from datafactory.protocols import Accounted, Curriculum
from datafactory.spec import Component, Spec

if TYPE_CHECKING:
    import polars as pl

PHASE = "phase"


class Staged(Spec):
    """Puts phases one after the other, such as execution-free trajectories and then execution-backed ones (SWE-ZERO to
    SWE-HERO). Each phase is a curriculum that says `where` its rows are; the column `phase` tells a trainer which is
    which.

    A row that several phases ask for is seen in each of them, so a phase may rehearse an earlier one; a row that no
    phase asks for is left out.
    """

    use_name = "staged"

    phases: tuple[Annotated[Curriculum, Component("curriculum")], ...] = Field(min_length=2)
    """Curricula in the order of training: {use: mixed, where: {origin: zero}}, {use: easy_to_hard, where: ...}."""

    @model_validator(mode="after")
    def _flat(self) -> Self:
        if any(isinstance(phase, Staged) for phase in self.phases):
            raise ValueError("a phase may not have phases of its own: write them all in one list")
        return self

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """Reads what the phases read; adds `phase`, from 0, and keeps the other columns. Raises ConfigError."""
        import polars as pl

        made = [
            phase.arrange(rows, seed=seed).with_columns(pl.lit(number, pl.Int64).alias(PHASE))
            for number, phase in enumerate(self.phases)
        ]
        return pl.concat(made)

    def account(self, rows: pl.LazyFrame, *, seed: int) -> list[dict[str, Any]]:
        """See `datafactory.protocols.Accounted`."""
        return [
            {**step, "phase": number}
            for number, phase in enumerate(self.phases)
            if isinstance(phase, Accounted)
            for step in phase.account(rows, seed=seed)
        ]
