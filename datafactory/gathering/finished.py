"""The attempts that a finished run came to, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from datafactory.errors import ConfigError, DataError
from datafactory.registry import find
from datafactory.storage import RECORDS, TABLE, RunFolder, StageFolder, Tasks, lines
from datafactory.table import row, write_parquet
from datafactory.types import Trajectory


def last_attempts(run: RunFolder, *, before: str = "") -> StageFolder:
    """The last complete stage that leaves attempts: judged where there is `verify`, chosen where there is `select`.

    With `before`, the one in front of the first stage of that name, where the run has such a stage. Raises DataError.
    """
    names = [stage.name for stage in run.stages]
    stages = run.stages[: names.index(before)] if before in names else run.stages
    for stage in reversed(stages):
        if stage.manifest is not None and _leaves_attempts(stage.name):
            return stage
    where = f" before {before}" if before in names else ""
    raise DataError(f"{run.path}: no complete stage{where} leaves attempts; see: datafactory show {run.path}")


def table_of_finished(run: RunFolder, stage: StageFolder, folder: Path) -> Path:
    """The table of a complete stage's attempts: its own, or one that is written to `folder` from its records. Raises
    DataError, StorageError."""
    if stage.table.exists():
        return stage.table
    path = folder / TABLE
    write_parquet(_rows(run, stage), path)
    return path


def _rows(run: RunFolder, stage: StageFolder) -> Iterator[dict[str, Any]]:
    tasks = Tasks(run)
    for line in lines(stage.path / RECORDS):
        attempt = Trajectory.model_validate_json(line)
        yield row(attempt, tasks.get(attempt.task_id))


def _leaves_attempts(name: str) -> bool:
    with suppress(ConfigError):
        return getattr(find("stage", name), "writes", None) is Trajectory
    return False
