"""Appraise: judges say of each task what it is worth, before anybody is paid to attempt it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from datafactory.errors import TeacherError, boundary
from datafactory.judging.indicators import (
    COUNT,
    INDICATORS,
    Unread,
    appraising,
    lacking,
    read_appraisal,
    schema,
    scores_of,
    together,
)
from datafactory.protocols import Episode, Teacher
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.judge import called
from datafactory.stages.live import line_to
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import Message, Record, Reject, Score, Task, digest_of

ASKED = 2
"""How often a judge is asked until its answer can be read."""


class Appraise(Stage):
    """Adds scores to each task: BenchBuilder's seven indicators (arXiv 2406.11939), 1 or 0 each, and how many hold.

    A judge sees the task's prompt alone. Stands between `synthesize` and `rollout`; a task keeps its id and digest.
    """

    use_name: ClassVar[str] = "appraise"
    reads: ClassVar[type[Record] | None] = Task
    writes: ClassVar[type[Record]] = Task

    judges: tuple[Annotated[Teacher, Component("teacher")], ...] = Field(min_length=1)
    """Who judges; of several, a task has each one's scores and their mean."""
    min_score: float | None = Field(default=None, ge=0, le=len(INDICATORS))
    """Least number of indicators that a task needs to go on, the mean where several judge; BenchBuilder keeps prompts
    with 6. Left out: every task goes on."""
    missing: Literal["keep", "drop"] = "keep"
    """With `min_score`: whether a task goes on of which no judge said anything that can be read."""
    difficulty: bool = False
    """Whether judges are also asked how hard the task looks, from 1 to 5 (the score `difficulty`)."""
    max_chars: int = Field(default=10_000, ge=100)
    """Characters of a prompt that a judge is shown, its head and its tail; BenchBuilder's code takes 10,000."""
    at_once: int = Field(default=64, ge=1, exclude=True)
    """Tasks appraised at a time."""

    def calls(self, items: int) -> str:
        """A call of each judge, and another where the first answer cannot be read."""
        return f"{items * len(self.judges):,} calls of judges"

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Appraise tasks as they come."""
        assert source is not None
        named = list(zip(called(self.judges), self.judges, strict=True))

        async def tasks() -> AsyncIterator[tuple[str, Task]]:
            async for task in source.follow():
                yield task.id, task

        async def appraise(key: str, task: Task) -> Task | Reject:
            each = [await self._asked(name, teacher, task, run) for name, teacher in named]
            last = each[0] if len(each) == 1 else together(each, difficulty=self.difficulty)
            made = [score for scores in each for score in scores] + (last if len(each) > 1 else [])
            new = {(score.name, score.judge) for score in made}
            before = [score for score in task.scores if (score.name, score.judge) not in new]
            scored = task.but(scores=(*before, *made))
            return self._reject(scored, last) or scored

        await run.each(tasks(), appraise, at_once=self.at_once)

    async def _asked(self, name: str, teacher: Teacher, task: Task, run: Run[Any]) -> list[Score]:
        text = appraising(task.prompt, limit=self.max_chars, difficulty=self.difficulty, seed=run.seed)
        wanted = schema(difficulty=self.difficulty)
        line = await line_to(run, teacher, scope=f"appraise:{name}:{task.id}", episode=_episode(run, name, task, 0))
        with boundary(TeacherError, f"asking the judge {name}"):
            for number in range(ASKED):
                episode = _episode(run, name, task, number)
                reply = await line.reply([Message(role="user", content=text)], schema=wanted, episode=episode)
                found = read_appraisal(reply, difficulty=self.difficulty)
                if not isinstance(found, Unread):
                    break
        return scores_of(found, name, difficulty=self.difficulty)

    def _reject(self, task: Task, scores: list[Score]) -> Reject | None:
        """Why the task does not go on; None: it does."""
        if self.min_score is None:
            return None
        said = next(score for score in scores if score.name == COUNT)
        if said.value is None:
            if self.missing == "keep":
                return None
            reason, detail = "not_appraised", f"appraise: no number of indicators: {said.note}"
        elif said.value < self.min_score:
            found = f"{said.value:g} of {len(INDICATORS)} indicators < {self.min_score:g}"
            reason, detail = "few_indicators", f"appraise: {found}: lacks {', '.join(lacking(scores))}"
        else:
            return None
        what = task.model_dump(mode="json")
        return Reject(reason=reason, detail=detail, generator=task.source.generator, what=what)


def _episode(run: Run[Any], name: str, task: Task, number: int) -> Episode:
    """Without the task, which holds the checks and the solution; a second try differs in its seed."""
    seed = int(digest_of([run.seed, "appraise", name, task.id, number]), 16) % (1 << 31)
    return Episode(id=task.id, seed=seed)
