"""`datafactory export`: a run's tasks and attempts in another tool's format."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datafactory.cli.funnel import is_attempt
from datafactory.cli.printing import clean, say_json
from datafactory.errors import ConfigError, DataError, StorageError, boundary
from datafactory.formats import FORMATS, OF_PIVOTS, OF_TASKS
from datafactory.registry import suggest, table
from datafactory.storage import RECORDS, RunFolder, StageFolder, Tasks, lines, open_run
from datafactory.table import scan
from datafactory.types import Pivot, Record, Task, Trajectory


def export(run: str, to: Path, format: str, runs: Path, *, solved: bool, kept: bool, as_json: bool) -> None:
    """Write the attempts of a run, with their tasks, to the folder `to`; formats of tasks take those alone.

    Attempts come from the last record-wise stage that has any: judged where there is a `verify`; formats of pivots take
    those of the stage `pivot`. Raises ConfigError for an unknown format or a folder that is not empty, DataError where
    nothing is there to write.
    """
    if format not in FORMATS:
        raise ConfigError(f"--format {clean(format)}: no such format{suggest(format, list(FORMATS))}")
    folder = open_run(run, runs)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigError(f"{to} is not an empty folder; name a new one, so that nothing is mixed or overwritten")
    tasks = Tasks(folder)
    if format in OF_PIVOTS and (solved or kept):
        raise ConfigError(f"--format {format}: what stays is decided by the stage pivot; leave out --solved and --kept")
    kind = "tasks" if format in OF_TASKS else "pivots" if format in OF_PIVOTS else "attempts"
    write = {"tasks": _write_tasks, "pivots": _write_pivots, "attempts": _write_attempts}[kind]
    count, given, source = write(folder, tasks, to, format, _wanted(folder, solved=solved, kept=kept))
    if as_json:
        made = {"run": folder.name, "format": format, "from": str(source), "to": str(to), "records": count}
        say_json({**made, "left_out": given - count})
        return
    left = f" ({given - count:,} left out: not of this format)" if given > count else ""
    print(f"{count:,} {kind} of {folder.name} as {format} in {to}{left}")


def is_pivot(row: Mapping[str, object]) -> bool:
    """Whether a record is a pivot."""
    return "expected" in row and "rollouts" in row


@dataclass(frozen=True)
class _Wanted:
    """Which attempts to write."""

    solved: bool
    ids: Set[str] | None
    """What the filters kept; None: whatever there is."""

    def __call__(self, attempt: Trajectory) -> bool:
        solved = attempt.verdict is not None and attempt.verdict.solved
        return (solved or not self.solved) and (self.ids is None or attempt.id in self.ids)

    @property
    def all(self) -> bool:
        """Whether nothing is left out."""
        return not self.solved and self.ids is None


def _wanted(folder: RunFolder, *, solved: bool, kept: bool) -> _Wanted:
    if not kept:
        return _Wanted(solved, None)
    made = [stage.table for stage in folder.stages if stage.manifest is not None and stage.name == "select"]
    if not made:
        raise ConfigError(f"--kept: {folder.name} has no complete select stage; see: datafactory show {folder.name}")
    return _Wanted(solved, set(scan(made[-1]).select("id").collect()["id"]))


def _write_attempts(folder: RunFolder, tasks: Tasks, to: Path, format: str, wanted: _Wanted) -> tuple[int, int, Path]:
    """How many records, of how many attempts, and from where."""
    stage = _attempts_of(folder, solved=wanted.solved)
    return *_written(_pairs(stage, tasks, wanted), to, format), stage.path


def _write_pivots(folder: RunFolder, tasks: Tasks, to: Path, format: str, wanted: _Wanted) -> tuple[int, int, Path]:
    """The same of pivots."""
    made = [stage for stage in folder.stages if is_pivot(next(stage.records(), {}))]
    if not made:
        raise DataError(f"{folder.name} has no pivots; they are made by the stage pivot (docs/pivots.md)")
    pivots = map(Pivot.model_validate_json, lines(made[-1].path / RECORDS))
    return *_written(((pivot, tasks.get(pivot.task_id)) for pivot in pivots), to, format), made[-1].path


def _written(pairs: Iterable[tuple[Record, Task]], to: Path, format: str) -> tuple[int, int]:
    """How many records were written, and of how many pairs."""
    given = 0

    def counted() -> Iterator[tuple[Record, Task]]:
        nonlocal given
        for pair in pairs:
            given += 1
            yield pair

    _make(to)
    count: int = _writer(format)(counted(), to)
    return count, given


def _write_tasks(folder: RunFolder, tasks: Tasks, to: Path, format: str, wanted: _Wanted) -> tuple[int, int, Path]:
    """Every sound task, or those with an attempt that is wanted."""
    chosen = set(tasks)
    if not wanted.all:
        pairs = _pairs(_attempts_of(folder, solved=wanted.solved), tasks, wanted)
        chosen = {trajectory.task_id for trajectory, _ in pairs}
    if not chosen:
        said = "solved " if wanted.solved else ""
        raise DataError(f"{folder.name} has no {said}tasks yet; see: datafactory show {folder.name}")
    _make(to)
    given = (tasks.get(id) for id in tasks if id in chosen)
    if format == "harbor":
        return len(_writer(format)(given, to, images=image_names())), len(chosen), folder.path
    return _writer(format)(given, to), len(chosen), folder.path


def _writer(format: str) -> Callable[..., Any]:
    module, _, name = FORMATS[format].partition(":")
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]


def _make(folder: Path) -> None:
    with boundary(StorageError, f"making {folder}"):
        folder.mkdir(parents=True, exist_ok=True)


def image_names() -> dict[str, str]:
    """What the docker sandbox's images are called on an engine: the names that a task's Dockerfile can start from."""
    builder = importlib.import_module(f"{table('sandbox')['docker'].partition(':')[0].rpartition('.')[0]}.imagery")
    return {name: builder.reference(name) for name in builder.NAMES}


def _attempts_of(folder: RunFolder, *, solved: bool) -> StageFolder:
    for stage in reversed(folder.stages):
        first = next((row for row in _first(stage) if is_attempt(row)), None)
        if first is None:
            continue
        if solved and first.get("verdict") is None:
            raise ConfigError(f"--solved: the attempts in {stage.path} are not judged yet; let the run go on to verify")
        return stage
    if tables := [stage.table for stage in folder.stages if stage.table.exists()]:
        way = "that is the format `messages`; for another, export the runs that it was gathered from"
        raise DataError(f"{folder.name} begins with gather, and has its attempts in a table alone, {tables[-1]}: {way}")
    raise DataError(f"{folder.name} has no attempts yet; see: datafactory show {folder.name}")


def _first(stage: StageFolder) -> Iterator[dict[str, object]]:
    for row in stage.records():
        yield row
        return


def _pairs(stage: StageFolder, tasks: Tasks, wanted: _Wanted) -> Iterator[tuple[Trajectory, Task]]:
    for line in lines(stage.path / RECORDS):
        trajectory = Trajectory.model_validate_json(line)
        if wanted(trajectory):
            yield trajectory, tasks.get(trajectory.task_id)
