"""The dataset as a folder that `datasets.load_dataset` takes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from datafactory.table.parquet import write_parquet
from datafactory.table.rows import row
from datafactory.types import Task, Trajectory


def export(pairs: Iterable[tuple[Trajectory, Task]], folder: Path) -> int:
    """Write `data/train-00000-of-00001.parquet` (the layout of the Hub) and say how many rows it has."""
    rows = (row(trajectory, task) for trajectory, task in pairs)
    return write_parquet(rows, folder / "data" / "train-00000-of-00001.parquet")
