"""Keeps attempts that earned enough reward."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl


class Solved(Spec):
    """Keeps attempts whose verdict reached a reward.

    Not always a gain: in Terminal-Task-Gen (arXiv 2602.21193) training on successes alone scored lower
    than training on all attempts, though on fewer rows.
    """

    use_name = "solved"
    rowwise: ClassVar[bool] = True

    min_reward: float = Field(default=1.0, ge=0, le=1)
    """Least reward that stays; 1 means every check passed."""
    unverified: bool = False
    """Whether attempts without a verdict stay."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `reward`."""
        import polars as pl

        reward = pl.col("reward")
        low = pl.format("solved: reward {} < {}", reward.round(4), pl.lit(self.min_reward))
        none = pl.lit(None, pl.String) if self.unverified else pl.lit("solved: not verified")
        return pl.when(reward.is_null()).then(none).when(reward < self.min_reward).then(low)
