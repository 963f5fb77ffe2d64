"""Jobs: files that say which pipeline runs when, and what becomes of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from datafactory.calls import Budget
from datafactory.errors import ConfigError, DataError
from datafactory.pipeline import document, load, placed
from datafactory.registry import Problem, fill, kind_of, suggest
from datafactory.scheduling.bars import Bars
from datafactory.scheduling.slots import following
from datafactory.spec import Spec


class JobFile(Spec):
    """The keys of a job's file; its name is the file's."""

    pipeline: Path
    """The pipeline file, seen from the job's folder. The run is named `<job>-<slot>`, whatever that file says."""
    cron: str
    """When: minute, hour, day of month, month, day of week, such as `0 3 * * 1` for Mondays at three."""
    timezone: str = "UTC"
    """Whose hours those are, such as `Europe/Berlin`."""
    seed: Literal["slot", "pipeline"] = "slot"
    """`slot`: the slot's minute in UTC as a number, so that each run makes other tasks, and the same ones when it is
    made anew; `pipeline`: as the pipeline file says."""
    budget: Budget | None = None
    """Caps in place of the pipeline's."""
    bars: Bars = Bars()
    """What a run must reach; one that does not is held, with the reasons."""
    compare: str | None = None
    """An earlier release that the run is compared with: a folder, a run's folder, or `org/name` on the hub."""
    publish: str | None = None
    """Where a run that reaches its bars is published: as `to` of the stage `publish`."""
    review: bool = False
    """Hold every run until a person releases it with `datafactory schedule release`."""
    catch_up: Literal["newest", "all", "none"] = "newest"
    """What becomes of slots whose time went by, while nothing ran or an earlier slot was still at work: the newest runs
    once for all of them, each runs in its turn, or none does."""
    late: float = Field(default=48.0, ge=0)
    """Hours after which a slot is no longer made up for."""
    tries: int = Field(default=3, ge=1, le=20)
    """How often a run is begun or gone on with before it counts as failed."""
    webhook: str | None = None
    """Where news of held and failed runs go, as JSON (POST); `$NAME` is read from the environment."""
    news: Literal["trouble", "all"] = "trouble"
    """`all`: the webhook hears of every run."""

    @field_validator("cron")
    @classmethod
    def _cron(cls, value: str) -> str:
        following(value, "UTC", datetime.now(UTC))
        return value

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"{value!r} is no time zone; such as UTC or Europe/Berlin") from error
        return value

    def problems(self) -> Iterable[str]:
        """A webhook that the environment does not name, and a publication that nothing would stop."""
        if self.webhook and self.webhook.startswith("$") and not os.environ.get(self.webhook[1:]):
            yield f"webhook: the environment has no {self.webhook[1:]}"


@dataclass(frozen=True)
class Job:
    """A job's file that was read and found good, with its pipeline."""

    name: str
    path: Path
    file: JobFile

    @property
    def pipeline(self) -> Path:
        """The pipeline file, from here."""
        return self.path.parent / self.file.pipeline


def load_jobs(folder: Path) -> list[Job]:
    """The jobs of a folder, by name: one for each `*.yaml` in it.

    Raises ConfigError with every mistake in them, each with file and line; DataError for a folder that is not there.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; jobs are YAML files in it (docs/schedule.md)")
    jobs, said = [], []
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            jobs.append(read_job(path))
        except ConfigError as error:
            said += error.problems
    if said:
        raise ConfigError(said)
    return jobs


class JobFolder:
    """The jobs of a folder, read again when a job's file or its pipeline's was changed."""

    def __init__(self, folder: Path, only: Sequence[str] = ()) -> None:
        self.folder, self._only = folder, only
        self._jobs: list[Job] = []
        self._state: tuple[tuple[str, int, int], ...] | None = None

    def __call__(self) -> list[Job]:
        """The jobs of now. Raises ConfigError, DataError."""
        if self._now() != self._state:
            self._jobs = chosen(load_jobs(self.folder), self._only)
            self._state = self._now()
        return self._jobs

    def _now(self) -> tuple[tuple[str, int, int], ...]:
        files = {*self.folder.glob("*.y*ml"), *(job.pipeline for job in self._jobs)}
        return tuple((str(path), *_stamp(path)) for path in sorted(files))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        told = path.stat()
    except OSError:
        return (0, 0)
    return (told.st_mtime_ns, told.st_size)


def chosen(jobs: Sequence[Job], names: Sequence[str]) -> list[Job]:
    """Those of these names; all where none is named. Raises ConfigError for a name that is none's."""
    known = [job.name for job in jobs]
    for name in names:
        if name not in known:
            raise ConfigError(f"there is no job {name!r}{suggest(name, known)}")
    return [job for job in jobs if not names or job.name in names]


def read_job(path: Path) -> Job:
    """One job. Raises ConfigError, DataError."""
    doc = document.read(path)
    if not isinstance(doc.value, dict):
        raise ConfigError(f"{path}:1: a job's file is a mapping with 'pipeline' and 'cron', not {kind_of(doc.value)}")
    problems: list[Problem] = []
    made = fill(JobFile, doc.value, (), problems)
    if problems or not isinstance(made, JobFile):
        raise ConfigError(placed(doc, problems))
    problems = [Problem((said.partition(":")[0],), said.partition(": ")[2]) for said in made.problems()]
    job = Job(path.stem, path, made)
    problems += _of_pipeline(job)
    if problems:
        raise ConfigError(placed(doc, problems))
    return job


def _of_pipeline(job: Job) -> Iterable[Problem]:
    try:
        pipeline = load(job.pipeline)
    except ConfigError as error:
        yield from (Problem(("pipeline",), said) for said in error.problems)
        return
    except DataError as error:
        yield Problem(("pipeline",), str(error))
        return
    names = {planned.name for planned in pipeline.stages}
    if "publish" in names:
        yield Problem(("pipeline",), "its stage publish would not wait for the bars; name `publish` here in its place")
    if job.file.publish and "arrange" not in names and "select" not in names:
        yield Problem(("publish",), "the pipeline makes no dataset: it has neither select nor arrange")
