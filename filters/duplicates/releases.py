"""Earlier releases as tables: Parquet files, folders of them, or what a run made last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from datafactory.errors import DataError
from datafactory.storage import REJECTED, open_run
from datafactory.table import scan

if TYPE_CHECKING:
    import polars as pl

On = Literal["messages", "prompt", "trajectory"]
COLUMN: dict[On, str] = {"messages": "messages", "prompt": "instruction", "trajectory": "messages"}
"""The column that is read to compare rows."""


def tables_of(place: str) -> list[Path]:
    """The Parquet files of a release: of a file itself, of a folder all but rejects, and of a run (its folder, or its
    name under `runs/`) the last table. Raises DataError."""
    path = Path(place).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir() and not (path / "run.json").is_file():
        found = sorted(file for file in path.rglob("*.parquet") if file.name != REJECTED)
        if not found:
            raise DataError(f"{place}: no Parquet files are in this folder")
        return found
    run = open_run(place)
    tables = [stage.table for stage in run.stages if stage.manifest is not None and stage.table.is_file()]
    if not tables:
        raise DataError(f"{place}: this run has no table yet; `select` or `arrange` makes one")
    return tables[-1:]


def release(path: Path, columns: Sequence[str]) -> pl.LazyFrame:
    """`id` and these columns of a file, messages as JSON text; a file without ids has `row <n>`. Raises DataError."""
    import polars as pl

    try:
        rows = scan(path)
        schema = rows.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: not a table that can be read: {error}") from error
    if missing := [name for name in columns if name not in schema]:
        raise DataError(f"{path}: no column {missing[0]!r}; there are: {', '.join(schema)}")
    chosen = [pl.col(name) for name in columns]
    kind = schema.get("messages")
    if "messages" in columns and kind != pl.List(pl.String):
        if not (isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct)):
            raise DataError(f"{path}: `messages` must be a list of messages (objects, or their JSON text), not {kind}")
        texts = pl.col("messages").list.eval(pl.element().struct.json_encode())
        chosen = [texts if name == "messages" else pl.col(name) for name in columns]
    if "id" in schema:
        return rows.select(pl.col("id").cast(pl.String), *chosen)
    return rows.with_row_index("_n").select(pl.format("row {}", "_n").alias("id"), *chosen)
