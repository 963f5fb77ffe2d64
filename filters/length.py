"""Keeps attempts of a reasonable length."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl


class Length(Spec):
    """Keeps attempts within bounds, both ends included; a bound that is not given does not bind.

    OpenThoughts-Agent (arXiv 2606.24855) found at least 5 turns the best filter of rollouts that it tried.
    """

    use_name = "length"
    rowwise: ClassVar[bool] = True

    min_turns: int = Field(default=1, ge=0)
    """Least number of answers by the teacher."""
    max_turns: int | None = Field(default=None, ge=1)
    """Largest number of answers by the teacher."""
    min_chars: int = Field(default=0, ge=0)
    """Least number of characters in the conversation."""
    max_chars: int | None = Field(default=None, ge=1)
    """Largest number of characters in the conversation: content, reasoning and tool arguments."""
    max_completion_tokens: int | None = Field(default=None, ge=1)
    """Largest number of tokens that the teacher wrote; a teacher that counts none always passes."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Largest number of tokens of the whole row, counted as rollout's `student` sees them; a row that was not counted
    always passes."""

    @model_validator(mode="after")
    def _bounds_leave_room(self) -> Self:
        for unit in ("turns", "chars"):
            low, high = getattr(self, f"min_{unit}"), getattr(self, f"max_{unit}")
            if high is not None and low > high:
                raise ValueError(f"min_{unit} ({low}) is larger than max_{unit} ({high}): nothing would stay")
        return self

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `n_turns`, `n_chars`, `completion_tokens` and, with `max_tokens`, `student_tokens`."""
        import polars as pl

        bounds = [
            ("n_turns", "turns", self.min_turns, self.max_turns),
            ("n_chars", "chars", self.min_chars, self.max_chars),
            ("completion_tokens", "completion tokens", 0, self.max_completion_tokens),
        ]
        if self.max_tokens is not None:
            bounds.append(("student_tokens", "student tokens", 0, self.max_tokens))
        reasons: list[pl.Expr] = []
        for column, unit, low, high in bounds:
            found = pl.col(column)
            reasons.append(pl.when(found < low).then(pl.format(f"length: {{}} {unit} < {low}", found)))
            if high is not None:
                reasons.append(pl.when(found > high).then(pl.format(f"length: {{}} {unit} > {high}", found)))
        return pl.coalesce(reasons)
