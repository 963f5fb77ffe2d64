"""`datafactory export`: a run's tasks and attempts in another tool's format."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import orjson

from datafactory.cli.funnel import is_attempt, is_task
from datafactory.cli.printing import clean, say_json
from datafactory.errors import ConfigError, DataError
from datafactory.formats import FORMATS
from datafactory.registry import suggest
from datafactory.storage import RECORDS, RunFolder, StageFolder, lines, open_run
from datafactory.types import Task, Trajectory

Pairs = Iterable[tuple[Trajectory, Task]]


def export(run: str, to: Path, format: str, runs: Path, *, solved: bool, as_json: bool) -> None:
    """Write the attempts of a run, with their tasks, to the folder `to`.

    They come from the last record-wise stage that has any: judged where there is a `verify`. Raises
    ConfigError for an unknown format or a folder that is not empty, DataError where nothing is there to write.
    """
    if format not in FORMATS:
        raise ConfigError(f"--format {clean(format)}: no such format{suggest(format, list(FORMATS))}")
    folder = open_run(run, runs)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigError(f"{to} is not an empty folder; name a new one, so that nothing is mixed or overwritten")
    stage = _attempts_of(folder)
    if solved and not _has_verdict(stage):
        raise ConfigError(f"--solved: the attempts in {stage.path} are not judged yet; let the run go on to verify")
    write = _function(FORMATS[format])
    to.mkdir(parents=True, exist_ok=True)
    count = write(_pairs(stage, _Tasks(folder), solved=solved), to)
    if as_json:
        say_json({"run": folder.name, "format": format, "from": str(stage.path), "to": str(to), "records": count})
        return
    print(f"{count:,} records of {folder.name} as {format} in {to} (from {stage.path.name})")


def _function(target: str) -> Callable[[Pairs, Path], int]:
    module, _, name = target.partition(":")
    function: Callable[[Pairs, Path], int] = getattr(importlib.import_module(module), name)
    return function


def _attempts_of(folder: RunFolder) -> StageFolder:
    for stage in reversed(folder.stages):
        if any(is_attempt(row) for row in _first(stage)):
            return stage
    raise DataError(f"{folder.name} has no attempts yet; see: datafactory show {folder.name}")


def _first(stage: StageFolder) -> Iterator[dict[str, object]]:
    for row in stage.records():
        yield row
        return


def _has_verdict(stage: StageFolder) -> bool:
    return any(row.get("verdict") is not None for row in _first(stage))


def _pairs(stage: StageFolder, tasks: _Tasks, *, solved: bool) -> Iterator[tuple[Trajectory, Task]]:
    for line in lines(stage.path / RECORDS):
        trajectory = Trajectory.model_validate_json(line)
        if not solved or (trajectory.verdict is not None and trajectory.verdict.solved):
            yield trajectory, tasks.get(trajectory.task_id)


class _Tasks:
    """The tasks of a run by id; only where each stands is held in memory."""

    def __init__(self, folder: RunFolder) -> None:
        self._places: dict[str, tuple[Path, int]] = {}
        for stage in folder.stages:
            path = stage.path / RECORDS
            if not path.exists() or not any(is_task(row) for row in _first(stage)):
                continue
            offset = 0
            for line in lines(path):
                self._places[orjson.loads(line)["id"]] = (path, offset)
                offset += len(line) + 1

    def get(self, id: str) -> Task:
        """The task; the last stage's where several have it. Raises DataError."""
        if id not in self._places:
            raise DataError(f"no stage of the run holds the task {clean(id)!r}")
        path, offset = self._places[id]
        return Task.model_validate_json(next(lines(path, offset)))
