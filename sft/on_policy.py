"""The trainer `on_policy`: the student answers, and teachers score each of its tokens."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from sft.distillation.spec import Distillation


class OnPolicy(Distillation):
    """Multi-domain on-policy distillation (Nemotron-Cascade 2, arXiv 2603.19220).

    The advantage of a token that the student wrote is log π_teacher − log π_student: what is lowered is the reverse KL
    divergence, where the student goes. Weights between the policy that sampled and the one that learns are truncated.
    The defaults are the paper's: 128 histories × 4 answers a step, learning rate 2e-6 after 30 steps of warm-up.
    """

    use_name: ClassVar[str] = "on_policy"

    samples: int = Field(default=4, ge=1)
    """Answers that the student writes to one history."""
    least_weight: float = Field(default=0.5, ge=0)
    """A token whose weight π_student / π_sampled lies below teaches nothing."""
    most_weight: float = Field(default=2.0, gt=0)
    """Nor does one whose weight lies above."""

    @model_validator(mode="after")
    def _weights(self) -> Self:
        if self.least_weight >= self.most_weight:
            raise ValueError(f"least_weight ({self.least_weight}) must be below most_weight ({self.most_weight})")
        return self
