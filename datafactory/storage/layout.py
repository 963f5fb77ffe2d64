"""The folder of a run: `runs/<name>/<n>-<stage>-<digest>/`, and `run.json`, which says which of them count now."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from datafactory.errors import DataError, RunError, StorageError, boundary
from datafactory.storage.journal import lines, rows
from datafactory.storage.shelf import FAILURES, RECORDS, REJECTS, TABLE, read_manifest, write_whole

RUN = "run.json"


@dataclass(frozen=True)
class StageFolder:
    """One stage of a run, as it lies on disk; for reading only."""

    number: int
    name: str
    """The stage's word, such as `rollout`."""
    path: Path

    @property
    def manifest(self) -> dict[str, Any] | None:
        """What the stage wrote when it was complete; None: it is not."""
        return read_manifest(self.path)

    @property
    def table(self) -> Path:
        """Where the sealed table of a columnar stage is (it may not exist)."""
        return self.path / TABLE

    def records(self) -> Iterator[dict[str, Any]]:
        """The records, as JSON."""
        return rows(self.path / RECORDS)

    def rejects(self) -> Iterator[dict[str, Any]]:
        """What was not kept, with reasons, as JSON (`datafactory.types.Reject`)."""
        return rows(self.path / REJECTS)

    def failures(self) -> Iterator[dict[str, Any]]:
        """What the infrastructure lost, as JSON (`datafactory.types.Failure`); some may be done since."""
        return rows(self.path / FAILURES)

    def count(self) -> int:
        """How many records there are, without parsing them."""
        path = self.path / RECORDS
        return sum(1 for _ in lines(path)) if path.exists() else 0


@dataclass(frozen=True)
class RunFolder:
    """A run, as it lies on disk; for reading only."""

    path: Path
    name: str
    seed: int
    pipeline: dict[str, Any]
    """The pipeline as it was resolved: every component with its fields."""
    stages: tuple[StageFolder, ...]


def open_run(run: str | Path, root: Path = Path("runs")) -> RunFolder:
    """Find a run by its folder, or by its name under `root`. Raises DataError that lists the runs there are."""
    for path in (Path(run), root / run):
        if (path / RUN).is_file():
            return _read(path)
    there = sorted(p.parent.name for p in root.glob(f"*/{RUN}"))
    known = f"; there are: {', '.join(there)}" if there else f"; there are none under {root}/"
    raise DataError(f"no run {str(run)!r}{known}")


def _read(path: Path) -> RunFolder:
    try:
        row = json.loads((path / RUN).read_text())
        stages = tuple(StageFolder(i, s["use"], path / s["folder"]) for i, s in enumerate(row["stages"], 1))
        return RunFolder(path, row["name"], row["seed"], row["pipeline"], stages)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path / RUN}: not a run's file ({type(error).__name__}: {error})") from error


def write_run(path: Path, row: dict[str, Any]) -> None:
    """Say which stage folders count now: `{name, seed, pipeline, stages: [{use, folder}], ...}`."""
    with boundary(StorageError, f"making {path}"):
        path.mkdir(parents=True, exist_ok=True)
    write_whole(path / RUN, json.dumps(row, indent=2, ensure_ascii=False).encode() + b"\n")


def is_running(path: Path) -> bool:
    """Whether a process holds the folder of a run now."""
    try:
        file = (path / ".lock").open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _take(file: IO[str]) -> None:
    """Lock it; once more after a moment, since `is_running` has the lock for an instant."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        time.sleep(0.1)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a run's folder; the lock goes with the process. Raises RunError where another run holds it."""
    with boundary(StorageError, f"making {path}"):
        path.mkdir(parents=True, exist_ok=True)
        file = (path / ".lock").open("a+")
    with file:
        try:
            _take(file)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise RunError(f"{path} is in use by another run (process {holder}); wait for it, or stop it") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
