"""Keeps attempts to which a judge gave enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from datafactory.judging import COMBINED
from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl


class Score(Spec):
    """Keeps attempts whose score lies within bounds, both ends included. What it is worth is measured on the rows that
    have a verdict too (docs/judges.md)."""

    use_name = "score"
    rowwise: ClassVar[bool] = True

    name: str = Field(min_length=1)
    """What was judged: the name of a rubric, such as `success`, or of an indicator."""
    min: float | None = Field(default=None, allow_inf_nan=False)
    """Least score that stays, on the scale of the rubric."""
    max: float | None = Field(default=None, allow_inf_nan=False)
    """Largest score that stays."""
    judge: str = Field(default=COMBINED, min_length=1)
    """Whose score; `combined` is that of all judges together, or of the only one where just one judged."""
    missing: Literal["drop", "keep"] = "drop"
    """What becomes of rows without such a score, or with one that could not be read."""

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("needs `min` or `max`: without them it would keep every score")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min ({self.min:g}) is larger than max ({self.max:g}): nothing would stay")
        return self

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `scores`."""
        import polars as pl

        field = pl.element().struct.field
        named = pl.col("scores").list.filter(field("name") == self.name)
        own = named.list.filter(field("judge") == self.judge)
        if self.judge == COMBINED:
            own = pl.when(named.list.len() == 1).then(named).otherwise(own)
        found = own.list.last()
        value, whose = found.struct.field("value").fill_nan(None), found.struct.field("judge")
        reasons = []
        if self.missing == "drop":
            none = pl.format("score: no {} by {}", pl.lit(self.name), pl.lit(self.judge))
            unread = pl.format("score: {} by {} has no number", pl.lit(self.name), whose)
            reasons.append(pl.when(value.is_null()).then(pl.when(whose.is_null()).then(none).otherwise(unread)))
        said = "score: {} {} %s %g by {}"
        if self.min is not None:
            low = pl.format(said % ("<", self.min), pl.lit(self.name), value.round(4), whose)
            reasons.append(pl.when(value < self.min).then(low))
        if self.max is not None:
            high = pl.format(said % (">", self.max), pl.lit(self.name), value.round(4), whose)
            reasons.append(pl.when(value > self.max).then(high))
        return pl.coalesce(reasons)

    def measure(self, rows: pl.LazyFrame) -> dict[str, Any]:
        """What it keeps of `rows`, held against their verdicts (`datafactory.judging.keeping`)."""
        from datafactory.judging.keeping import precision_recall

        return precision_recall(rows, self.reject(rows).is_null())
