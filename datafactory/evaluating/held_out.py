"""Which tasks students are measured on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from datafactory.agent import AgentName
from datafactory.errors import DataError
from datafactory.evaluating.overlap import Trained
from datafactory.storage import MANIFEST, RunFolder, Tasks, is_task, open_run
from datafactory.types import Part, Task, digest_of


class TasksOf(BaseModel):
    """The tasks of a finished run, as a pipeline file names them: text alone is its `at`."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    at: str
    """A run: its folder, or its name under `runs/` or `DATAFACTORY_RUNS`. Where some of its tasks are held out, those
    are taken; else all."""
    agent: AgentName | None = None
    """The dialect in which they are attempted; left out: the stage's."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"at": value} if isinstance(value, str) else value

    def problems(self) -> Iterator[str]:
        """A run that is not there, or has no complete stage of tasks."""
        try:
            if not self.inputs():
                yield f"tasks: no complete stage of {self.at} made tasks; see: datafactory show {self.at}"
        except DataError as error:
            yield f"tasks: {error}"

    def inputs(self) -> list[Path]:
        """The manifests of the run's stages that made tasks, which speak for what they made. Raises DataError."""
        stages = [stage for stage in self._run().stages if is_task(next(stage.records(), {}))]
        return [stage.path / MANIFEST for stage in stages if stage.manifest is not None]

    def read(self) -> Iterator[Task]:
        """The tasks. Raises DataError."""
        tasks = Tasks(self._run())
        held_out = [id for id in tasks if tasks.get(id).held_out]
        for id in held_out or tasks:
            yield tasks.get(id)

    def _run(self) -> RunFolder:
        return open_run(self.at, Path(os.environ.get("DATAFACTORY_RUNS", "runs")))


@dataclass(frozen=True)
class Exam:
    """One task that students attempt."""

    task: Task
    part: Part
    agent: str


def exams(
    own: Iterable[Task], sources: Iterable[TasksOf], trained: Trained, *, agent: str, most: int | None, seed: int
) -> list[Exam]:
    """The held-out tasks of the run itself, or those of `sources` where there are any; of more than `most` those that
    the seed draws. Ids of tasks of several sources begin with the source's place: `1:task`. Raises DataError."""
    places = list(sources)
    found = [(task, agent) for task in own if task.held_out] if not places else []
    for number, place in enumerate(places, 1):
        for task in place.read():
            named = task.but(id=f"{number}:{task.id}") if len(places) > 1 else task
            found.append((named, place.agent or agent))
    if most is not None and len(found) > most:
        found = sorted(found, key=lambda item: digest_of([seed, item[0].id]))[:most]
    made = [Exam(task, trained.part(task), dialect) for task, dialect in found]
    return sorted(made, key=lambda exam: exam.task.id)
