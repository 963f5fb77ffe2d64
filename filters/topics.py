"""Keeps good topics, good tasks of them, and as many of each as is wanted."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from datafactory.errors import ConfigError
from datafactory.judging import COMBINED
from datafactory.judging.numbers import number_of
from datafactory.registry import suggest
from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl


class Topics(Spec):
    """Thresholds and sampling by topic (BenchBuilder, arXiv 2406.11939, section 4): a task needs a score, its topic
    a mean score, and of each topic so many tasks are drawn.

    All attempts at a task stay or go together. A topic's mean is taken over its tasks, before any of them goes; what
    is drawn, is drawn of what the thresholds leave, and follows from SHA-256 of seed and task alone.
    """

    use_name = "topics"

    score: str = Field(default="indicators", min_length=1)
    """The score that is compared; `indicators` is what the stage `appraise` counts, from 0 to 7."""
    judge: str = Field(default=COMBINED, min_length=1)
    """Whose score; `combined` is that of all judges together, or of the only one where just one judged."""
    min: float | None = Field(default=None, allow_inf_nan=False)
    """Least score of a task; BenchBuilder took 6."""
    min_mean: float | None = Field(default=None, allow_inf_nan=False)
    """Least mean score of a topic's tasks; BenchBuilder took 5."""
    min_tasks: int = Field(default=1, ge=1)
    """Least number of tasks of a topic."""
    per_topic: int | None = Field(default=None, ge=1)
    """Tasks that are drawn of each topic; BenchBuilder took 2. Left out: all."""
    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = {}
    """Times `per_topic` for topics of these names or numbers, rounded; 0 drops a topic. Others have 1."""
    max_topics: int | None = Field(default=None, ge=1)
    """Topics that are drawn; BenchBuilder took 250. Left out: all."""
    outliers: Literal["keep", "drop"] = "keep"
    """What becomes of tasks of no topic: they have no mean, and none of them is drawn; `min` is for them too."""
    missing: Literal["keep", "drop"] = "drop"
    """What becomes of a task without a score that `min` could compare, and of a topic without any for `min_mean`."""
    seed: int = Field(default=0, ge=0)
    """Shapes what is drawn."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.weights and self.per_topic is None:
            raise ValueError("`weights` multiply `per_topic`: set that too")
        given = (self.min, self.min_mean, self.per_topic, self.max_topics)
        if all(value is None for value in given) and self.min_tasks == 1 and self.outliers == "keep":
            raise ValueError(
                "it would keep every row: set min, min_mean, min_tasks, per_topic, max_topics or outliers: drop"
            )
        return self

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `task_id`, `cluster`, `topic` and, with a threshold, `scores`. Raises ConfigError where nothing was
        clustered, or where `weights` names a topic that is not there."""
        import polars as pl

        value = number_of(self.score, self.judge) if self._compares else pl.lit(None, pl.Float64)
        tasks = (
            rows.select("task_id", "cluster", "topic", _value=value)
            .group_by("task_id")
            .agg(pl.col("cluster", "topic").first(), pl.col("_value").mean())
            .sort("task_id")
            .collect(engine="streaming")
        )
        if tasks.is_empty():
            return pl.lit(None, pl.String)
        self._check(tasks)
        gone = self._judged(tasks).filter(pl.col("_reason").is_not_null())
        if gone.is_empty():
            return pl.lit(None, pl.String)
        return pl.col("task_id").replace_strict(gone["task_id"], gone["_reason"], default=None, return_dtype=pl.String)

    @property
    def _compares(self) -> bool:
        return self.min is not None or self.min_mean is not None

    def _check(self, tasks: pl.DataFrame) -> None:
        if tasks["cluster"].null_count() == tasks.height:
            raise ConfigError("topics: no row has a cluster: put the stage `cluster` before this one")
        known = sorted({str(name) for name in (*tasks["topic"].unique(), *tasks["cluster"].unique())})
        for name in self.weights.keys() - set(known):
            raise ConfigError(f"topics: weights: no topic is called {name!r}{suggest(name, known)}")

    def _judged(self, tasks: pl.DataFrame) -> pl.DataFrame:
        """The tasks with the reason for which each goes: thresholds first, then what was not drawn of the rest."""
        import polars as pl

        reasons = [self._loose(), *self._thresholds()]
        made = tasks.with_columns(_reason=pl.coalesce(reasons) if reasons else pl.lit(None, pl.String))
        if self.max_topics is not None:
            made = self._some_topics(made, self.max_topics)
        if self.per_topic is not None:
            made = self._some_tasks(made, self.per_topic)
        return made

    def _loose(self) -> pl.Expr:
        import polars as pl

        if self.outliers == "keep":
            return pl.lit(None, pl.String)
        return pl.when(~_has_topic()).then(pl.lit("topics: of no topic"))

    def _thresholds(self) -> list[pl.Expr]:
        """Reasons of topics that are too small or too poor, and of tasks that are."""
        import polars as pl

        value, made = pl.col("_value"), list[pl.Expr]()
        count = pl.len().over("cluster")
        if self.min_tasks > 1:
            said = pl.format(f"topics: {{}}: {{}} tasks < {self.min_tasks}", _name(), count)
            made.append(pl.when(_has_topic() & (count < self.min_tasks)).then(said))
        if self.min_mean is not None:
            mean = value.mean().over("cluster")
            said = pl.format(f"topics: {{}}: mean {self.score} {{}} < {self.min_mean:g}", _name(), mean.round(4))
            made.append(pl.when(_has_topic() & (mean < self.min_mean)).then(said))
            if self.missing == "drop":
                none = pl.format(f"topics: {{}}: no task has a number of {self.score}", _name())
                made.append(pl.when(_has_topic() & mean.is_null()).then(none))
        if self.min is not None:
            said = pl.format(f"topics: {self.score} {{}} < {self.min:g}", value.round(4))
            made.append(pl.when(value < self.min).then(said))
            if self.missing == "drop":
                made.append(pl.when(value.is_null()).then(pl.lit(f"topics: no number of {self.score}")))
        return made

    def _some_topics(self, tasks: pl.DataFrame, count: int) -> pl.DataFrame:
        """Draws topics of those that have a task left."""
        import polars as pl

        left = tasks.filter(_has_topic() & pl.col("_reason").is_null()).select("cluster", "topic").unique("cluster")
        drawn = left.with_columns(_draw=_draws("topic", self.seed, pl.format("{} {}", "cluster", "topic")))
        chosen = drawn.sort("_draw").head(count)["cluster"]
        said = pl.format(f"topics: {{}}: not among the {count} topics drawn of {left.height}", _name())
        lost = _has_topic() & ~pl.col("cluster").is_in(chosen.implode())
        return tasks.with_columns(_reason=pl.coalesce("_reason", pl.when(lost).then(said)))

    def _some_tasks(self, tasks: pl.DataFrame, count: int) -> pl.DataFrame:
        """Draws tasks of each topic of those that are left."""
        import polars as pl

        weights = {name: round(count * weight) for name, weight in self.weights.items()}
        number = pl.col("cluster").cast(pl.String).replace_strict(weights, default=None, return_dtype=pl.Int64)
        by_name = pl.col("topic").replace_strict(weights, default=None, return_dtype=pl.Int64)
        quota = pl.coalesce(by_name, number, pl.lit(count)) if weights else pl.lit(count)
        left = tasks.filter(_has_topic() & pl.col("_reason").is_null())
        place = pl.col("_draw").rank("ordinal").over("cluster")
        lost = (
            left.with_columns(_draw=_draws("task", self.seed, pl.col("task_id")), _quota=quota)
            .filter(place > pl.col("_quota"))
            .join(left.group_by("cluster").agg(_of=pl.len()), on="cluster")
            .select(
                "task_id", _not=pl.format("topics: {}: not among the {} tasks drawn of {}", _name(), "_quota", "_of")
            )
        )
        joined = tasks.join(lost, on="task_id", how="left")
        return joined.with_columns(_reason=pl.coalesce("_reason", "_not")).drop("_not")


def _has_topic() -> pl.Expr:
    """Whether a task belongs to a topic; false where it was not clustered."""
    import polars as pl

    return (pl.col("cluster") >= 0).fill_null(False)


def _name() -> pl.Expr:
    import polars as pl

    return pl.format("topic {} ({})", "cluster", pl.col("topic").fill_null("?"))


def _draws(purpose: str, seed: int, text: pl.Expr) -> pl.Expr:
    """SHA-256 (hex) of purpose, seed and text: the same with every version of polars, whose own hash may change."""
    import polars as pl

    def digests(column: pl.Series) -> pl.Series:
        made = [hashlib.sha256(f"{purpose}/{seed}/{item}".encode()).hexdigest() for item in column]
        return pl.Series(column.name, made, dtype=pl.String)

    return text.map_batches(digests, return_dtype=pl.String, is_elementwise=True)
