"""The easy rows first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from filters.curricula.drawing import hashed, share
from filters.curricula.mixture import COPY, Mixture

if TYPE_CHECKING:
    import polars as pl

LEVELS = {"easy": 0, "medium": 1, "hard": 2}


class EasyToHard(Mixture):
    """Sorts rows by how hard they are. In Terminal-Task-Gen (arXiv 2602.21193) easy sources before hard ones did worse
    than mixing them: compare with `mixed` before you decide."""

    use_name = "easy_to_hard"

    by: Literal["pass_rate", "difficulty", "n_turns", "n_chars", "completion_tokens"] = "pass_rate"
    """What tells the hard from the easy: the share of a task's attempts that were solved, the generator's own label, or
    how long the attempt was. Rows without it are in the middle."""
    jitter: float = Field(default=0.1, ge=0, le=1)
    """Share of the whole order by which a row may be moved at random, so that neighbours are not all alike."""

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """Reads `id`, and the column named by `by` (`task_id` and `solved` for a pass rate)."""
        import polars as pl

        told = rows.with_columns(_hard=self._hardness())
        drawn = self.drawn(told, seed)
        least, most = pl.col("_hard").min(), pl.col("_hard").max()
        place = ((pl.col("_hard") - least) / pl.max_horizontal(most - least, pl.lit(1e-12))).fill_null(0.5)
        place = place + self.jitter * (share("jitter", seed, COPY) - 0.5)
        sorted_ = drawn.with_columns(_at=place, _tie=hashed("place", seed, COPY)).sort("_at", "_tie")
        return sorted_.drop("_hard", "_at", "_tie", COPY)

    def _hardness(self) -> pl.Expr:
        import polars as pl

        from filters.difficulty import pass_rate

        if self.by == "pass_rate":
            return -pass_rate()
        if self.by == "difficulty":
            return pl.col("difficulty").replace_strict(LEVELS, default=None, return_dtype=pl.Float64)
        return pl.col(self.by).rank().cast(pl.Float64)
