"""One mixed stage: all rows, shuffled once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filters.curricula.drawing import hashed
from filters.curricula.mixture import OWN, Mixture

if TYPE_CHECKING:
    import polars as pl


class Mixed(Mixture):
    """Shuffles the rows into one stage of training.

    Mixing everything in one stage beat two stages, easy first, by 2.6 points in Terminal-Task-Gen
    (arXiv 2602.21193). A row's place follows from SHA-256 of seed and id alone, so it is the same on
    every machine, and a row that is added or dropped does not reshuffle the others.
    """

    use_name = "mixed"

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """Reads `id`, `task_id` and what the fields name; keeps the columns as they are. Raises ConfigError."""
        drawn = self.drawn(rows, seed).with_columns(_place=hashed("place", seed, copies=self.copies))
        return drawn.sort("_place").drop("_place", *OWN, strict=False)
