"""Keeps attempts at tasks that are neither too easy nor too hard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl


class PassRate(Spec):
    """Keeps attempts at tasks of which a share of the attempts was solved, as measured by those in the table.

    Tasks that are always or never solved teach a policy nothing: PivotRL (arXiv 2603.21383, section 3) and TMAX keep
    those with mixed outcomes, measured on at least 8 attempts. Attempts that were not verified do not count, and stay
    where their task stays.
    """

    use_name = "pass_rate"

    min: float = Field(default=0.0, ge=0, le=1)
    """Least share that stays."""
    max: float = Field(default=1.0, ge=0, le=1)
    """Largest share that stays."""
    mixed: bool = False
    """Whether some attempts must be solved and some not."""
    min_attempts: int = Field(default=1, ge=1)
    """Verified attempts that a task must have for its share to mean anything."""
    sure: bool = False
    """Whether a task goes only where the whole 95 % interval of its share lies outside of `min` and `max`, so that few
    attempts drop little."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min ({self.min:g}) is more than max ({self.max:g})")
        return self

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `task_id` and `solved`."""
        import polars as pl

        from filters.difficulty import interval, judged_of_task, pass_rate, solved_of_task

        solved, judged, share = solved_of_task(), judged_of_task(), pass_rate()
        low, high = interval()
        lowest, highest = (high, low) if self.sure else (share, share)
        seen = pl.format("{} of {} solved ({}–{})", solved, judged, low.round(2), high.round(2))
        return pl.coalesce(
            pl.when(judged < self.min_attempts).then(
                pl.format(f"pass_rate: {{}} verified attempts < {self.min_attempts}", judged)
            ),
            pl.when(lowest < self.min).then(pl.format(f"pass_rate: {{}} < {self.min:g}", seen)),
            pl.when(highest > self.max).then(pl.format(f"pass_rate: {{}} > {self.max:g}", seen)),
            pl.when(pl.lit(self.mixed) & ((solved == 0) | (solved == judged))).then(
                pl.format("pass_rate: {} of {} solved: not mixed", solved, judged)
            ),
        )
