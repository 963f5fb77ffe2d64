"""Easy rows first, hard rows last, with as much disorder as is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from datafactory.errors import ConfigError
from filters.curricula.drawing import fraction, hashed
from filters.curricula.mixture import OWN, Mixture
from filters.difficulty import judged_of_task, solved_of_task

if TYPE_CHECKING:
    import polars as pl

LABELS = {"easy": 0.0, "medium": 1.0, "hard": 2.0}
COLUMN = {"turns": "n_turns", "tokens": "student_tokens", "chars": "n_chars"}
HARD = "_hard"


class EasyToHard(Mixture):
    """Sorts rows by how hard they are.

    A pass rate is taken over all rows of the table, before anything is left out, as (solved + 1) / (attempts + 2): 1 of
    1 says less than 8 of 8, and a task that nobody verified stands in the middle.
    """

    use_name = "easy_to_hard"

    measure: Literal["pass_rate", "difficulty", "turns", "tokens", "chars"] = "pass_rate"
    """What is hard: a task that was seldom solved; the generator's own label; an attempt of many turns, student's
    tokens or characters."""
    reverse: bool = False
    """Whether hard rows come first."""
    jitter: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    """How much chance there is in a row's place: 0 sorts strictly, 0.2 moves rows by up to a fifth of the way, 1 is a
    shuffle. Rows that are equally hard are always shuffled."""

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """Reads `id`, `task_id`, what the measure needs (`solved`, `difficulty`, `n_turns`, ...) and what the fields
        name; keeps the columns as they are. Raises ConfigError."""
        import polars as pl

        drawn = self.drawn(rows.with_columns(self._hardness(rows).alias(HARD)), seed)
        draw, sign = hashed("place", seed, copies=self.copies), -1 if self.reverse else 1
        order = (sign * pl.col(HARD)).rank("average") / pl.len()
        placed = drawn.with_columns(_draw=draw).with_columns(
            _place=(1 - self.jitter) * order + self.jitter * fraction(pl.col("_draw"))
        )
        return placed.sort("_place", "_draw").drop("_place", HARD, *OWN, strict=False)

    def _hardness(self, rows: pl.LazyFrame) -> pl.Expr:
        import polars as pl

        if self.measure == "pass_rate":
            return -(solved_of_task() + 1.0) / (judged_of_task() + 2.0)
        if self.measure == "difficulty":
            return pl.col("difficulty").replace_strict(LABELS, default=LABELS["medium"], return_dtype=pl.Float64)
        column = COLUMN[self.measure]
        if unknown := rows.select(pl.col(column).null_count()).collect(engine="streaming").item():
            way = "name the student in the rollout (docs/agent.md)" if column == "student_tokens" else "have it counted"
            raise ConfigError(f"measure {self.measure}: {unknown:,} rows have no {column}; {way}, or measure by chars")
        return pl.col(column).cast(pl.Float64)
