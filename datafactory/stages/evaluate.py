"""Evaluate: the student before training and the one after attempt held-out tasks, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path
from typing import Annotated, Any, ClassVar, cast

from pydantic import Field

from datafactory.agent import SEARCHES
from datafactory.errors import RunError
from datafactory.evaluating.held_out import Exam, TasksOf, exams
from datafactory.evaluating.numbers import Asked, Prompts
from datafactory.evaluating.overlap import Trained, overlap, trained_on
from datafactory.evaluating.report import FILE, PUPILS, evaluation, result
from datafactory.protocols import Teacher
from datafactory.run import Run
from datafactory.spec import Component, Spec
from datafactory.stages.acting import Acting
from datafactory.stages.examining import Sitting
from datafactory.stages.stage import Stage
from datafactory.storage import TABLE, Shelf, write_whole
from datafactory.types import Example, Model, Pupil, Record, Task, Trial

_NONE = "give `synthesize` a `hold_out`, such as {combinations: 0.1}, or name finished runs in `tasks`"


class Evaluate(Acting):
    """Makes trials: both students are served in turn, attempt the same tasks in the same boxes with the same seeds, and
    are judged as any attempt is. `datafactory scores` shows what came of it (docs/evaluate.md)."""

    use_name: ClassVar[str] = "evaluate"
    reads: ClassVar[type[Record] | None] = Model
    writes: ClassVar[type[Record]] = Trial
    columnar: ClassVar[bool] = True

    server: Annotated[Teacher | None, Component("teacher")] = None
    """Who serves students, and how they are sampled: a teacher such as {use: vllm, model: student}; each student's
    folder takes the place of its `model`."""
    base: Annotated[Teacher | None, Component("teacher")] = None
    """Who answers for the student before training; left out: `server` does."""
    trained: Annotated[Teacher | None, Component("teacher")] = None
    """Who answers for the student after training; left out: `server` does."""
    tasks: tuple[TasksOf, ...] = ()
    """Finished runs whose tasks are attempted, each as text or with an agent of its own, {at: runs/swe, agent: tools};
    left out: the tasks that this run holds out."""
    most: int | None = Field(default=None, ge=1)
    """Tasks that are attempted, drawn by the pipeline's seed where there are more; left out: all."""
    judge: Annotated[Teacher | None, Component("teacher")] = None
    """Who says whether an answer to a question is right where it is not word for word an accepted one; left out: its
    reward is the token F1 with the nearest accepted answer."""
    prompts: Prompts | None = None
    """Questions of another domain, {file: gsm8k.jsonl, count: 200}, asked once each: what training costs there."""

    def wants(self) -> Set[str]:
        """A sandbox, unless there are questions alone."""
        agents = {place.agent or self.agent for place in self.tasks} or {self.agent}
        return set() if agents <= set(SEARCHES) else {"sandbox"}

    def problems(self) -> Iterable[str]:
        """Nobody who serves a student, runs or files that are not there."""
        if self.server is None and (self.base is None or self.trained is None):
            yield "needs a `server` for its students, such as {use: vllm, model: student}"
        yield from _no_server(self.server) if self.server is not None else ()
        for place in self.tasks:
            yield from place.problems()
        yield from self.prompts.problems() if self.prompts is not None else ()

    def lacks(self, before: Sequence[Stage]) -> Iterable[str]:
        """Tasks, where no stage holds any out."""
        if not self.tasks and not any(getattr(stage, "hold_out", None) for stage in before):
            yield f"evaluate has no tasks: {_NONE}"

    def inputs(self) -> Iterable[Path]:
        """The manifests of the runs, and the file of questions."""
        for place in self.tasks:
            yield from place.inputs()
        yield from [self.prompts.file] if self.prompts is not None else []

    def expected(self, before: int | None) -> int | None:
        """Nobody knows how many tasks will be held out."""
        return None

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Serve one student after the other, and write `evaluation.json`."""
        assert source is not None
        model: Model = next(iter(source))
        trained = await asyncio.to_thread(_trained, run)
        tasks = run.before(Task)
        found = await asyncio.to_thread(
            exams, tasks or (), self.tasks, trained, agent=self.agent, most=self.most, seed=run.seed
        )
        if not found:
            raise RunError(f"evaluate: no task is held out by these shares of so few: {_NONE}")
        asked = self.prompts.drawn(run.seed) if self.prompts is not None else []
        run.progress.total = len(PUPILS) * (len(found) * self.attempts + len(asked))
        shared = await asyncio.to_thread(overlap, trained, [(exam.task, exam.part) for exam in found])
        for pupil in PUPILS:
            stand_in = self.base if pupil == "base" else self.trained
            teacher = stand_in or self._serving(pupil, model, source.folder)
            sitting = Sitting(self, self.judge, pupil, model, teacher, served=stand_in is None, run=run)
            await self._examine(sitting, found, asked)
            await run.commons.close(cast(Spec, teacher).__eq__)  # a GPU has room for one student
        report = evaluation(
            map(result, run.shelf), model, run=run.name, attempts=self.attempts, lost=len(run.shelf.lost), shared=shared
        )
        write_whole(run.shelf.folder / FILE, report.model_dump_json(indent=1).encode() + b"\n")

    def _serving(self, pupil: Pupil, model: Model, folder: Path) -> Teacher:
        """`server`, with the student in the place of its model."""
        on_hub = pupil == "base" and model.base_on_hub
        place = model.base if pupil == "base" else model.folder
        changes: dict[str, Any] = {"model": place if on_hub else str((folder / place).resolve())}
        server = cast(Spec, self.server)
        if on_hub and model.base_revision and "revision" in type(server).model_fields:
            changes["revision"] = model.base_revision
        return cast(Teacher, server.model_copy(update=changes))

    async def _examine(self, sitting: Sitting, found: Sequence[Exam], asked: Sequence[Asked]) -> None:
        """All trials of one student."""

        def trials() -> Iterator[tuple[str, tuple[Exam | Asked, int]]]:
            for exam in found:
                for number in range(self.attempts):
                    yield f"{sitting.pupil}/{exam.task.id}/{number}", (exam, number)
            for question in asked:
                yield f"{sitting.pupil}/{question.id}/0", (question, 0)

        async def work(key: str, item: tuple[Exam | Asked, int]) -> Trial:
            what, number = item
            return await (sitting.answers(what) if isinstance(what, Asked) else sitting.attempts(what, number))

        await sitting.run.each(trials(), work, at_once=self.at_once)


def _no_server(teacher: Teacher) -> Iterable[str]:
    """Why a teacher cannot serve whatever student it is given."""
    fields = type(cast(Spec, teacher)).model_fields
    addresses = getattr(teacher, "addresses", None)
    if "model" not in fields:
        yield f"server: {teacher.name} cannot be given a student: it has no `model`"
    elif addresses() if addresses is not None else "base_url" in fields:
        running = "asks servers that run already (base_url, or the environment), which cannot load a student"
        yield f"server: {teacher.name} {running}; name it as `base` and `trained` where students are served elsewhere"


def _trained(run: Run[Any]) -> Trained:
    """What the training rows say of their tasks."""
    rows = run.before(Example)
    return Trained() if rows is None else trained_on(rows.folder / TABLE)
