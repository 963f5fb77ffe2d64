"""One arm of a controlled comparison: as many rows as every other arm, and alike in all that is not compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from datafactory.registry import suggest
from datafactory.spec import Spec
from filters.curricula.conditions import Where, holds, said
from filters.curricula.drawing import hashed
from filters.curricula.quotas import rounded

if TYPE_CHECKING:
    import polars as pl

ARMS: dict[str, dict[str, Any]] = {
    "solved": {"solved": True},
    "failed": {"solved": False},
    "mixed": {"solved": [True, False]},
}
STRATUM = "_stratum"


class Control(Spec):
    """Draws one arm, at random, and shuffles it. Pipelines that differ in `arm` alone make data sets of the same number
    of rows: the largest that every arm can give.

    Data of successes alone trained worse students than all attempts in Terminal-Task-Gen (arXiv 2602.21193, section
    4), but the successes were far fewer: only arms of one size can tell what did it.
    """

    use_name = "control"

    arm: str
    """Which arm to make, by its name in `arms`."""
    arms: dict[str, Where] = ARMS
    """What is compared: for each arm the rows that it draws from, by column, as in `where` of `mixed`."""
    match: tuple[Literal["task", "domain", "generator", "repo", "difficulty", "length"], ...] = ()
    """In what the arms are to be alike: for each value there are as many rows in every arm. `length` is the doubling of
    characters in which a row lies."""
    where: Where = {}
    """Only rows for which all of it holds, in every arm."""
    max_per_task: int | None = Field(default=None, ge=1)
    """Attempts of one task at most, in each arm, drawn at random; None: all."""
    rows: int | None = Field(default=None, ge=1)
    """How many rows at most; None: as many as every arm has."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        if len(self.arms) < 2:
            raise ValueError("a comparison needs two arms at least")
        if self.arm not in self.arms:
            raise ValueError(f"arm: there is no {self.arm!r}{suggest(self.arm, list(self.arms))}")
        return self

    def arrange(self, rows: pl.LazyFrame, *, seed: int) -> pl.LazyFrame:
        """Reads `id`, `task_id` and what the arms, `where` and `match` name; keeps the columns as they are. Raises
        ConfigError."""
        import polars as pl

        sizes = dict(self._sizes(rows, seed).iter_rows())
        mine = self._arm(rows, self.arm, seed)
        quota = pl.col(STRATUM).replace_strict(sizes, default=0, return_dtype=pl.Int64) if sizes else pl.lit(0)
        place = hashed("control", seed).rank("ordinal").over(STRATUM)
        drawn = mine.filter(place <= quota).with_columns(_place=hashed("place", seed))
        return drawn.sort("_place").drop("_place", STRATUM)

    def account(self, rows: pl.LazyFrame, *, seed: int) -> list[dict[str, Any]]:
        """See `datafactory.protocols.Accounted`."""
        import polars as pl

        counts = pl.collect_all([self._arm(rows, name, seed).select(pl.len()) for name in self.arms])
        made = [
            {"rule": f"arm {name}: {said(where)}", "rows": count.item()}
            for (name, where), count in zip(self.arms.items(), counts, strict=True)
        ]
        alike = f", matched by {', '.join(self.match)}" if self.match else ""
        size = int(self._sizes(rows, seed)["size"].sum())
        return [*made, {"rule": f"rows that every arm can give{alike}", "rows": size}]

    def _arm(self, rows: pl.LazyFrame, name: str, seed: int) -> pl.LazyFrame:
        """The rows that an arm may draw from, with what they are matched by."""
        import polars as pl

        schema = rows.collect_schema()
        chosen = rows.filter(holds(self.where, schema), holds(self.arms[name], schema))
        if self.max_per_task is not None:
            chosen = chosen.filter(hashed("attempt", seed).rank("ordinal").over("task_id") <= self.max_per_task)
        keys = [_key(kind) for kind in self.match] or [pl.lit("")]
        return chosen.with_columns(pl.struct(keys).struct.json_encode().alias(STRATUM))

    def _sizes(self, rows: pl.LazyFrame, seed: int) -> pl.DataFrame:
        """For each stratum how many rows every arm gives: `_stratum`, `size`."""
        import polars as pl

        counts = [
            frame.with_columns(pl.col("len").cast(pl.Int64))
            for frame in pl.collect_all(
                [self._arm(rows, name, seed).group_by(STRATUM).len() for name in self.arms], engine="streaming"
            )
        ]
        every = pl.concat(counts).group_by(STRATUM).agg(arms=pl.len(), size=pl.col("len").min())
        sizes = every.filter(pl.col("arms") == len(self.arms)).select(STRATUM, "size").sort(STRATUM)
        total = int(sizes["size"].sum())
        if self.rows is None or total <= self.rows:
            return sizes
        amounts = rounded([size * self.rows / total for size in sizes["size"]])
        return sizes.with_columns(size=pl.Series(amounts, dtype=pl.Int64))


def _key(kind: str) -> pl.Expr:
    import polars as pl

    if kind == "length":
        return pl.col("n_chars").clip(lower_bound=1).log(2).floor().cast(pl.Int64).alias(kind)
    return pl.col("task_id" if kind == "task" else kind).cast(pl.String).alias(kind)
