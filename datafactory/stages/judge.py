"""Judge: models say what they think of each attempt, as scores that a filter compares later."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from datafactory.errors import ConfigError, TeacherError, boundary
from datafactory.judging import Combining, Room, Rubric, combined, load_rubric, own_file, read_answer, request, score_of
from datafactory.protocols import Episode, Teacher
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.live import line_to
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import Message, Record, Score, Task, Trajectory, digest_of


class Judge(Stage):
    """Adds scores to each trajectory: one of each judge and, where several judge, one of all of them together.

    A judge sees what its rubric says of the task and the attempt, and never the verdict, the checks or the solution;
    so `datafactory judges` can hold it against them. An answer that cannot be read gives a score without a number.
    """

    use_name: ClassVar[str] = "judge"
    reads: ClassVar[type[Record] | None] = Trajectory
    writes: ClassVar[type[Record]] = Trajectory

    judges: tuple[Annotated[Teacher, Component("teacher")], ...] = Field(min_length=1)
    """Who judges; several are an ensemble, whose scores are combined."""
    rubric: str = "success"
    """What is asked: `success`, `quality`, or a file of your own (docs/judges.md)."""
    samples: int = Field(default=1, ge=1, le=64)
    """Answers of each judge; its score is the mean of those that can be read."""
    combine: Combining = "mean"
    """How the scores of several judges become one: `mean`, `median` or `majority`."""
    max_chars: int = Field(default=60_000, ge=1000)
    """Characters of a transcript that a judge is shown; whole messages go from its middle."""
    message_chars: int = Field(default=4_000, ge=100)
    """Characters of one message; the head and the tail stay."""
    at_once: int = Field(default=64, ge=1, exclude=True)
    """Attempts judged at a time."""

    def problems(self) -> Iterable[str]:
        """A rubric that cannot be read."""
        try:
            load_rubric(self.rubric)
        except ConfigError as error:
            yield from error.problems

    def inputs(self) -> Iterable[Path]:
        """The rubric, where it is a file of the user's."""
        path = own_file(self.rubric)
        return () if path is None else (path,)

    def calls(self, items: int) -> str:
        """One call for each sample of each judge."""
        return f"{items * self.samples * len(self.judges):,} calls of judges"

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Judge attempts as they come."""
        assert source is not None
        rubric = load_rubric(self.rubric)
        named = list(zip(called(self.judges), self.judges, strict=True))
        room = Room(whole=self.max_chars, each=self.message_chars)

        async def attempts() -> AsyncIterator[tuple[str, Trajectory]]:
            async for trajectory in source.follow():
                yield trajectory.id, trajectory

        async def judge(key: str, attempt: Trajectory) -> Trajectory:
            text = request(rubric, run.find(Task, attempt.task_id), attempt, room, seed=run.seed)
            made = [await self._asked(name, teacher, text, attempt, rubric, run) for name, teacher in named]
            if len(made) > 1:
                made.append(combined(made, rubric, self.combine))
            return with_scores(attempt, made)

        await run.each(attempts(), judge, at_once=self.at_once)

    async def _asked(
        self, name: str, teacher: Teacher, text: str, attempt: Trajectory, rubric: Rubric, run: Run[Any]
    ) -> Score:
        answers = []
        first = _episode(run, rubric, name, attempt, 0)
        line = await line_to(run, teacher, scope=f"judge:{rubric.name}:{name}:{attempt.id}", episode=first)
        with boundary(TeacherError, f"asking the judge {name}"):
            for number in range(self.samples):
                reply = await line.reply(
                    [Message(role="user", content=text)],
                    schema=rubric.schema_of_answers,
                    episode=_episode(run, rubric, name, attempt, number),
                )
                answers.append(read_answer(reply, rubric))
        return score_of(answers, rubric, name)


def _episode(run: Run[Any], rubric: Rubric, name: str, attempt: Trajectory, number: int) -> Episode:
    """Without the task, which holds the checks and the solution; samples differ in their seeds."""
    seed = int(digest_of([run.seed, "judge", rubric.name, name, attempt.id, number]), 16) % (1 << 31)
    return Episode(id=attempt.id, seed=seed)


def with_scores(attempt: Trajectory, made: list[Score]) -> Trajectory:
    """The attempt with new scores, in the place of those that the same judges gave it for the same before."""
    new = {(score.name, score.judge) for score in made}
    before = [score for score in attempt.scores if (score.name, score.judge) not in new]
    return attempt.but(scores=(*before, *made))


def called(judges: Iterable[Teacher]) -> list[str]:
    """A name for each judge: its model, or else its own name; numbered from the second of a kind on."""
    seen: Counter[str] = Counter()
    names = []
    for teacher in judges:
        name = str(getattr(teacher, "model", "") or teacher.name)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return names
