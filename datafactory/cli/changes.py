"""What filters do to the rows of a finished shelf, and what that changes against other filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datafactory.cli.composing import counts
from datafactory.errors import FilterError
from datafactory.protocols import Filter
from datafactory.stages.labels import labels
from datafactory.stages.sifting import ROW, Decided

if TYPE_CHECKING:
    import polars as pl

KINDS = ("domain", "generator", "solved")
"""Columns by which rows are counted."""
EXAMPLES = 3
"""Ids that stand for all rows of one kind of reason."""
LIGHT = ("id", "task_id", *KINDS, "student_tokens", "n_chars")


@dataclass(frozen=True)
class Trial:
    """Rows with what two sets of filters say of each."""

    rows: pl.DataFrame
    """`LIGHT`, and `filter`, `reason` (the filters that are tried) and `old_filter`, `old_reason` (those before): null
    where a row stays."""

    def funnel(self, filters: Sequence[Filter]) -> list[dict[str, Any]]:
        """For each filter: rows that it saw, dropped and left, and its reasons."""
        made, left = [], self.rows.height
        for name in labels(filters):
            mine = _where(self.rows, "filter", name)
            made.append({"filter": name, "seen": left, "dropped": mine.height, "reasons": reasons(mine, "reason")})
            left -= mine.height
        return made

    @property
    def kept(self) -> int:
        """Rows that stay."""
        return int(self.rows["filter"].null_count())

    def changes(self) -> dict[str, Any]:
        """Rows that come in and go out, by reason, and those that are dropped for another one."""
        import polars as pl

        new, old = pl.col("filter"), pl.col("old_filter")
        came = self.rows.filter(new.is_null() & old.is_not_null())
        went = self.rows.filter(new.is_not_null() & old.is_null())
        other = self.rows.filter(new.is_not_null() & old.is_not_null() & (new != old))
        return {
            "before": int(self.rows["old_filter"].null_count()),
            "after": self.kept,
            "in": {"rows": came.height, "reasons": reasons(came, "old_reason")},
            "out": {"rows": went.height, "reasons": reasons(went, "reason")},
            "dropped_by_another": other.height,
        }

    def composition(self) -> list[dict[str, Any]]:
        """Rows, tasks, tokens (the student's; None where a row has none) and characters before and after, in all and by
        each value of `KINDS`."""
        import polars as pl

        columns = {"before": "old_filter", "after": "filter"}
        sides = {side: self.rows.filter(pl.col(column).is_null()) for side, column in columns.items()}
        made = [_counted("all", None, sides)]
        for kind in KINDS:
            values = sorted(
                {*sides["before"][kind], *sides["after"][kind]}, key=lambda value: (value is None, str(value))
            )
            for value in values:
                made.append(_counted(kind, value, {side: _where(rows, kind, value) for side, rows in sides.items()}))
        return made


def trial(rows: pl.LazyFrame, decided: Decided, old: pl.DataFrame) -> Trial:
    """The rows with both words on each; `old` has `_row`, `filter`, `reason` of those that the filters before drop."""
    there = rows.collect_schema().names()
    light = rows.select(name for name in LIGHT if name in there).with_row_index(ROW).collect(engine="streaming")
    if missing := set(LIGHT) - set(there):
        raise FilterError(f"the table has no column {', '.join(sorted(missing))}")
    before = old.rename({"filter": "old_filter", "reason": "old_reason"})
    joined = light.join(decided.dropped, on=ROW, how="left", maintain_order="left")
    return Trial(joined.join(before, on=ROW, how="left", maintain_order="left").drop(ROW))


def reasons(rows: pl.DataFrame, column: str) -> list[dict[str, Any]]:
    """Kinds of reasons, most frequent first: two that differ in numbers alone are one kind, which its first row stands
    for."""
    import polars as pl

    kind = pl.col(column).str.replace_all(r"\d+(?:[.,]\d+)*", "#")
    counted = (
        rows.group_by(kind.alias("kind"), maintain_order=True)
        .agg(rows=pl.len(), reason=pl.col(column).first(), ids=pl.col("id").head(EXAMPLES))
        .sort("rows", descending=True, maintain_order=True)
    )
    return counted.to_dicts()


def _where(rows: pl.DataFrame, column: str, value: Any) -> pl.DataFrame:
    import polars as pl

    return rows.filter(pl.col(column).eq_missing(pl.lit(value, rows.schema[column])))


def _counted(kind: str, value: Any, sides: dict[str, pl.DataFrame]) -> dict[str, Any]:
    return {"by": kind, "value": value, **{side: counts(rows) for side, rows in sides.items()}}
