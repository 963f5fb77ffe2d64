"""Drops attempts that ran out of turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl


class StepLimit(Spec):
    """Drops attempts that were ended by the rollout's `max_turns` (SWE-ZERO, arXiv 2604.01496, section 2)."""

    use_name = "step_limit"
    rowwise: ClassVar[bool] = True

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `stop` and `n_turns`."""
        import polars as pl

        reason = pl.format("step_limit: not done after {} turns", pl.col("n_turns"))
        return pl.when(pl.col("stop") == "turn_limit").then(reason)
