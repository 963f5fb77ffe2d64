"""The topics of a run's table, as `datafactory show` prints them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory.cli.printing import words
from datafactory.errors import StorageError, boundary
from datafactory.judging.indicators import COUNT
from datafactory.judging.numbers import number_of

if TYPE_CHECKING:
    from rich.table import Table

SHOWN = 10
"""Topics that are printed; `--json` has them all."""


def topics_in(table: str | None) -> list[dict[str, Any]]:
    """Number, name, tasks, rows and the mean of `indicators` of each topic in a table, the largest first; empty where
    nothing was clustered. Reads four columns. Raises StorageError."""
    import polars as pl

    if table is None or not Path(table).exists():
        return []
    with boundary(StorageError, f"reading {table}"):
        rows = pl.scan_parquet(table)
        if not {"cluster", "topic", "task_id", "scores"} <= set(rows.collect_schema().names()):
            return []
        if rows.select(pl.col("cluster").is_not_null().any()).collect(engine="streaming").item() is not True:
            return []
        tasks = (
            rows.select("task_id", "cluster", "topic", value=number_of(COUNT))
            .group_by("task_id")
            .agg(pl.col("cluster", "topic").first(), pl.len().alias("rows"), pl.col("value").mean())
        )
        found = (
            tasks.group_by("cluster", "topic")
            .agg(tasks=pl.len(), rows=pl.col("rows").sum(), mean=pl.col("value").mean().round(4))
            .sort("tasks", "cluster", descending=[True, False])
            .collect(engine="streaming")
        )
    return [{**row, COUNT: row.pop("mean")} for row in found.iter_rows(named=True)]


def drawn(topics: list[dict[str, Any]]) -> Table:
    """The largest topics as lines for people."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("topic", max_width=60, overflow="fold")
    for column in ("number", "tasks", "rows", COUNT):
        table.add_column(column, justify="right", no_wrap=True)
    for topic in topics[:SHOWN]:
        number = "-" if topic["cluster"] is None else str(topic["cluster"])
        mean = "-" if topic[COUNT] is None else f"{topic[COUNT]:.2f}"
        table.add_row(
            words(topic["topic"] or "not clustered"), number, f"{topic['tasks']:,}", f"{topic['rows']:,}", mean
        )
    if rest := topics[SHOWN:]:
        tasks, rows = (sum(topic[key] for topic in rest) for key in ("tasks", "rows"))
        table.add_row(f"{len(rest):,} others", "", f"{tasks:,}", f"{rows:,}", "", style="dim")
    return table
