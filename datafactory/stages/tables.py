"""Between shelves and columns: a shelf of attempts, sealed to a table once and read from there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datafactory.run import Run
from datafactory.storage import TABLE, Shelf
from datafactory.table import row, write_parquet
from datafactory.types import Task


def table_of(source: Shelf[Any], run: Run[Any]) -> Path:
    """The table of a complete shelf; made from its records where the stage before was record-wise."""
    path = source.folder / TABLE
    if not path.exists():
        write_parquet((row(attempt, run.find(Task, attempt.task_id)) for attempt in source), path)
    return path
