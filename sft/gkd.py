"""The trainer `gkd`: the student is drawn to the teacher's whole distribution, on its own answers and on the rows'."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from sft.distillation.spec import Distillation


class Gkd(Distillation):
    """Generalized knowledge distillation (arXiv 2306.13649): the generalized Jensen-Shannon divergence between teacher
    and student over the whole vocabulary. Its teachers are loaded beside the student: a server gives no distributions.
    """

    use_name: ClassVar[str] = "gkd"

    on_policy: float = Field(default=0.5, ge=0, le=1)
    """Share of the answers that the student writes itself (the paper's λ); the others are those of the rows. It is
    drawn for each answer, where the paper draws for each batch."""
    beta: float = Field(default=0.5, ge=0, le=1)
    """Between the forward KL divergence (0) and the reverse (1), which are taken exactly at these ends."""
    batch: int = Field(default=32, ge=1)
    """Histories of one step, each with one answer."""
    learning_rate: float = Field(default=1e-5, gt=0)
    """At its height."""

    def problems(self) -> Iterable[str]:
        """Packages that are not there, and teachers that are on a server."""
        yield from super().problems()
        for name, teacher in self.all_teachers().items():
            if teacher.base_url is not None:
                yield f"gkd: the teacher {name!r} is on a server, which gives no whole distributions: use on_policy"
