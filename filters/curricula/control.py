"""Arms of an experiment: datasets of one size that differ in nothing but how their attempts ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from datafactory.spec import Spec
from filters.curricula.drawing import first, shuffled

if TYPE_CHECKING:
    import polars as pl

Arm = Literal["solved", "failed", "mixed"]


class Control(Spec):
    """One arm of a comparison at equal size. Terminal-Task-Gen (arXiv 2602.21193, section 5) compared all attempts with
    the solved ones, which were a third as many; nobody published the comparison at one size.

    Each arm has as many rows as the smallest of all, in every group of rows that `match` tells apart: pipelines that
    differ in `arm` alone make datasets of one size.
    """

    use_name = "control"

    arm: Arm
    """Which rows this dataset has: solved attempts, failed ones, or both as they come."""
    of: tuple[Arm, ...] = ("solved", "failed", "mixed")
    """All arms of the comparison."""
    match: tuple[Literal["domain", "generator", "agent", "difficulty", "task_id", "repo"], ...] = ("domain",)
    """Columns by whose values the arms have equally many rows; `task_id` leaves tasks with both outcomes alone."""
    size: int | None = Field(default=None, ge=1)
    """Rows at most, drawn from those."""

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if self.arm not in self.of:
            raise ValueError(f"arm {self.arm!r} is none of {', '.join(self.of)}")
        return self

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """Reads `id`, `solved` and the columns of `match`; attempts without a verdict are in no arm."""
        import polars as pl

        solved = pl.col("solved")
        member = {"solved": solved, "failed": ~solved, "mixed": solved.is_not_null()}
        counts = [member[arm].sum().over(self.match) if self.match else member[arm].sum() for arm in self.of]
        told = rows.filter(solved.is_not_null()).with_columns(_least=pl.min_horizontal(counts).cast(pl.Int64))
        arm = told.filter(member[self.arm])
        kept = arm.filter(first(f"control {self.arm}", seed, pl.col("_least"), *self.match)).drop("_least")
        if self.size is not None:
            kept = kept.filter(first("size", seed, self.size))
        return shuffled(kept, seed)
