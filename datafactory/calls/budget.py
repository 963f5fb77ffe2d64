"""What a run may spend on its teachers, and what they cost."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from datafactory.types import Usage


class _Numbers(BaseModel):
    """Keys that hold numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError(f"must be a number, not {value}")
        return value


class Price(_Numbers):
    """What a teacher costs, in US dollars; what is not paid for is 0."""

    prompt: float = Field(default=0.0, ge=0)
    """A million prompt tokens that no cache held."""
    cached: float | None = Field(default=None, ge=0)
    """A million prompt tokens from the server's prefix cache; None: no less than the others."""
    completion: float = Field(default=0.0, ge=0)
    """A million completion tokens."""
    gpu_hour: float = Field(default=0.0, ge=0)
    """One GPU for an hour."""

    def of(self, usage: Usage) -> float:
        """Dollars of one answer."""
        cached = self.prompt if self.cached is None else self.cached
        fresh = max(0, usage.prompt_tokens - usage.cached_tokens)
        return (fresh * self.prompt + usage.cached_tokens * cached + usage.completion_tokens * self.completion) / 1e6


class Budget(_Numbers):
    """Caps on a run; reaching one ends it cleanly, with everything paid for on disk."""

    calls: int | None = Field(default=None, gt=0)
    """Answered calls to teachers; None: no cap."""
    tokens: int | None = Field(default=None, gt=0)
    """Prompt and completion tokens together; None: no cap."""
    gpu_hours: float | None = Field(default=None, gt=0)
    """Hours of GPUs that a teacher of the run holds, summed over the GPUs; None: no cap."""
    dollars: float | None = Field(default=None, gt=0)
    """Cost by the teachers' prices; None: no cap."""
