"""Which rows are seen, and how often: conditions, caps, weights, temperature and size, for any order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from datafactory.errors import ConfigError
from datafactory.registry import suggest
from datafactory.spec import Spec
from filters.curricula.conditions import Where, holds, known, said
from filters.curricula.drawing import COPY, fraction, hashed
from filters.curricula.quotas import filled, rounded

if TYPE_CHECKING:
    import polars as pl

Weight = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
CELL, SIZE = "_cell", "_size"
OWN = (COPY, CELL, SIZE, "_draw", "_whole", "_rest")
"""Columns of ours, which are gone in the end."""


class Mixture(Spec):
    """What curricula share: first `where`, then the caps, then how often each row is seen.

    Every draw follows from SHA-256 of seed and id alone: it is the same on every machine, and rows that come or go
    change nothing for the others but at the edge of a size.
    """

    where: Where = {}
    """Only rows for which all of it holds, by column: a value, a list of values, or {min: ..., max: ...}."""
    max_per_task: int | None = Field(default=None, ge=1)
    """Attempts of one task at most, drawn at random; None: all."""
    max_per_repo: int | None = Field(default=None, ge=1)
    """Attempts at tasks of one repository at most, drawn at random; None: all. Rows without one are not capped."""
    domains: dict[str, Weight] = {}
    """How often the rows of a domain are seen: 0.5 keeps a random half, 2 repeats each, 1 is what others get."""
    weights: dict[str, dict[str, Weight]] = {}
    """The same for the values of any column: {generator: {swe_mutations: 2}}; weights of several columns multiply."""
    temperature: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Evens out the groups of `by`: a group of n rows gets a share in proportion to n^(1/temperature). 1 leaves the
    shares as they are, 100 makes them nearly equal."""
    by: str = "domain"
    """The column whose values are the groups of `temperature`."""
    rows: int | None = Field(default=None, ge=1)
    """How many rows there shall be; weights are then relative to each other."""
    tokens: int | None = Field(default=None, ge=1)
    """How many of the student's tokens there shall be, instead; the last row that would cross it is left out."""
    max_repeats: float = Field(default=4.0, ge=1, allow_inf_nan=False)
    """How often a row is seen at most where a size or a temperature asks for more than there is; what one group cannot
    fill, the others do. Four epochs of the same are nearly as good as new data (arXiv 2305.16264)."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.rows is not None and self.tokens is not None:
            raise ValueError("`rows` and `tokens` are two sizes: set one of them")
        if self.domains and "domain" in self.weights:
            raise ValueError("`domains` is short for `weights: {domain: ...}`: set one of them")
        return self

    def steps(self, rows: pl.LazyFrame, seed: int) -> Iterator[tuple[str, pl.LazyFrame]]:
        """What is left after each rule that was set, with the rule in words. Reads `id`, `task_id` and the columns that
        rules name; may add those in `OWN`. Raises ConfigError on a column that is not there, or has no numbers."""
        left, schema = rows, rows.collect_schema()
        if self.where:
            left = left.filter(holds(self.where, schema))
            yield f"where {said(self.where)}", left
        for column, cap in (("task_id", self.max_per_task), ("repo", self.max_per_repo)):
            if cap is not None:
                left = _capped(left, column, cap, seed)
                yield f"{'max_per_task' if column == 'task_id' else 'max_per_repo'} {cap}", left
        if self._sized:
            yield self._size_in_words(), self._to_size(left, seed)
        elif self._weights:
            known(self._weights, schema, "weights")
            yield "weights", self._weighted(left, seed)

    def drawn(self, rows: pl.LazyFrame, seed: int) -> pl.LazyFrame:
        """The rows that are seen, as often as they are, in no order of their own."""
        return [rows, *(left for _, left in self.steps(rows, seed))][-1]

    def account(self, rows: pl.LazyFrame, *, seed: int) -> list[dict[str, Any]]:
        """See `datafactory.protocols.Accounted`."""
        import polars as pl

        steps = list(self.steps(rows, seed))
        counts = pl.collect_all([left.select(pl.len()) for _, left in steps], engine="streaming")
        made = [{"rule": rule, "rows": count.item()} for (rule, _), count in zip(steps, counts, strict=True)]
        return made + [{"rule": note, "rows": None} for note in self._unseen(rows)]

    def _unseen(self, rows: pl.LazyFrame) -> Iterator[str]:
        """What weights are given to that no row has: perhaps a slip of the pen, perhaps filtered away."""
        import polars as pl

        for column, times in self._weights.items():
            there = rows.select(pl.col(column).cast(pl.String).unique()).collect(engine="streaming")[column].to_list()
            for name in times.keys() - set(there):
                yield f"weights: no row has the {column} {name!r}{suggest(name, [str(value) for value in there])}"

    @property
    def copies(self) -> bool:
        """Whether rows are numbered copies (`COPY`)."""
        return self._sized or bool(self._weights)

    @property
    def _sized(self) -> bool:
        return self.rows is not None or self.tokens is not None or self.temperature is not None

    @property
    def _weights(self) -> dict[str, dict[str, Weight]]:
        return {**self.weights, **({"domain": self.domains} if self.domains else {})}

    @property
    def _groups(self) -> str:
        return self.by

    def _size_in_words(self) -> str:
        parts = [f"temperature {self.temperature:g} by {self.by}"] if self.temperature is not None else []
        parts += [f"weights by {', '.join(self._weights)}"] if self._weights else []
        parts += [f"{self.rows:,} rows"] if self.rows is not None else []
        parts += [f"{self.tokens:,} tokens"] if self.tokens is not None else []
        return ", ".join(parts)

    def _weighted(self, rows: pl.LazyFrame, seed: int) -> pl.LazyFrame:
        """The rows as often as their weight says, with the copy's number."""
        import polars as pl

        weight = pl.lit(1.0)
        for column, times in self._weights.items():
            text = pl.col(column).cast(pl.String)
            weight = weight * text.replace_strict(times, default=1.0, return_dtype=pl.Float64)
        chance = fraction(hashed("weight", seed))
        return _repeated(rows, weight.floor() + (chance < weight - weight.floor()).cast(pl.Float64))

    def _to_size(self, rows: pl.LazyFrame, seed: int) -> pl.LazyFrame:
        """As many rows of each cell (a value of `by` and of each column with weights) as its share of the whole is: all
        of them so many times, and the rest drawn at random."""
        import polars as pl

        marked = rows.with_columns(self._cell(rows.collect_schema()), self._measured())
        cells = self.cells(marked)
        if cells.is_empty():
            return _repeated(marked, pl.lit(1.0))
        wanted = dict(zip(cells[CELL], self.amounts(cells), strict=True))
        have = dict(zip(cells[CELL], cells["have"], strict=True))
        whole = {cell: float(wanted[cell] // have[cell]) if have[cell] else 0.0 for cell in wanted}
        rest = {cell: wanted[cell] - whole[cell] * have[cell] for cell in wanted}
        drawn = marked.with_columns(
            _draw=hashed("weight", seed),
            _whole=pl.col(CELL).replace_strict(whole, return_dtype=pl.Float64),
            _rest=pl.col(CELL).replace_strict(rest, return_dtype=pl.Float64),
        )
        among = pl.col(SIZE).cum_sum().over(CELL, order_by="_draw") <= pl.col("_rest") + 1e-6
        return _repeated(drawn, pl.col("_whole") + among.cast(pl.Float64))

    def _cell(self, schema: pl.Schema) -> pl.Expr:
        import polars as pl

        columns = [self._groups, *(name for name in self._weights if name != self._groups)]
        known(columns[:1], schema, "by")
        known(columns[1:], schema, "weights")
        for name in columns:
            if isinstance(schema[name], pl.List | pl.Struct):
                raise ConfigError(f"{name!r} is a list: rows are grouped by a column with one value")
        # A JSON list, so that no value can pass for another.
        return pl.struct(pl.col(name).cast(pl.String) for name in columns).struct.json_encode().alias(CELL)

    def _measured(self) -> pl.Expr:
        import polars as pl

        size = pl.lit(1.0) if self.tokens is None else pl.col("student_tokens").cast(pl.Float64)
        return size.alias(SIZE)

    def cells(self, marked: pl.LazyFrame) -> pl.DataFrame:
        """For each cell: `_cell`, how much is there (`have`, rows or tokens), its group (`by`), and its weight.

        Raises ConfigError where tokens are wanted that were not counted."""
        import polars as pl

        columns = list(dict.fromkeys([self._groups, *self._weights]))
        counted = marked.group_by(CELL, *(pl.col(name).cast(pl.String) for name in columns)).agg(
            have=pl.col(SIZE).sum(), rows=pl.len(), unknown=pl.col(SIZE).null_count()
        )
        found = counted.sort(CELL).collect(engine="streaming")
        if unknown := found["unknown"].sum():
            raise ConfigError(
                f"tokens: {unknown:,} of {found['rows'].sum():,} rows have no student_tokens; name the student in the "
                "rollout (docs/agent.md), or set a size in `rows`"
            )
        weight = pl.lit(1.0)
        for column, times in self._weights.items():
            weight = weight * pl.col(column).replace_strict(times, default=1.0, return_dtype=pl.Float64)
        return found.with_columns(weight=weight)

    def amounts(self, cells: pl.DataFrame) -> list[float]:
        """How much of each cell is wanted, in what `SIZE` measures."""
        import polars as pl

        power = 1.0 / (self.temperature or 1.0) - 1.0
        group = pl.col("have").sum().over(self._groups)
        share = pl.when(group > 0).then(pl.col("weight") * pl.col("have") * group**power).otherwise(0.0)
        shares, have = cells.select(share=share)["share"].to_list(), cells["have"].to_list()
        total = self.rows or self.tokens or sum(have)
        amounts = filled(float(total), shares, have, self.max_repeats)
        return amounts if self.tokens is not None else [float(amount) for amount in rounded(amounts)]


def _capped(rows: pl.LazyFrame, column: str, cap: int, seed: int) -> pl.LazyFrame:
    """So many rows of each value at most."""
    import polars as pl

    known((column,), rows.collect_schema(), "max_per_repo" if column == "repo" else "max_per_task")
    place = hashed("attempt" if column == "task_id" else column, seed).rank("ordinal").over(column)
    free = (pl.col(column).fill_null("") == "") if column == "repo" else pl.lit(False)
    return rows.filter(free | (place <= cap))


def _repeated(rows: pl.LazyFrame, times: pl.Expr) -> pl.LazyFrame:
    """Each row so many times, with the copy's number in `COPY`."""
    import polars as pl

    numbered = rows.with_columns(pl.int_ranges(0, times.cast(pl.Int64)).alias(COPY))
    return numbered.filter(pl.col(COPY).list.len() > 0).explode(COPY)
