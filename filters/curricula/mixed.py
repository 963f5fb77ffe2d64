"""One mixed stage: all rows, shuffled once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filters.curricula.drawing import shuffled
from filters.curricula.mixture import COPY, Mixture

if TYPE_CHECKING:
    import polars as pl


class Mixed(Mixture):
    """Shuffles all rows into one stage of training.

    Mixing everything in one stage beat two stages, easy first, by 2.6 points in Terminal-Task-Gen
    (arXiv 2602.21193). A row's place follows from SHA-256 of seed and id alone, so it is the same on
    every machine, and a row that is added or dropped does not reshuffle the others.
    """

    use_name = "mixed"

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """Reads `id`, and `task_id`, `repo` and `domain` where they are needed; keeps the columns as they are."""
        copy = COPY if self.domains or self.temperature is not None else ""
        return shuffled(self.drawn(rows, seed), seed, copy).drop(COPY)
