"""Verify: every attempt is judged, in a clean box that the agent never touched, or by its answer alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Set
from typing import Annotated, Any, ClassVar

from pydantic import Field

from datafactory.answers import grade, judged, needs_judge
from datafactory.checks import verify
from datafactory.errors import SandboxError, TeacherError, boundary
from datafactory.local import CORES
from datafactory.protocols import Episode, Sandbox, Teacher
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.live import host_of, line_to
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import Question, Record, Task, Trajectory, Verdict, digest_of


class Verify(Stage):
    """Adds a verdict to each trajectory; outcomes are labels, nothing is dropped.

    The verdict's row leaves the artifacts behind: they stay on the rollout's shelf, so that a corrected
    check can judge again without paying for rollouts. What a task collects, such as a patch, goes on: it is the result.
    """

    use_name: ClassVar[str] = "verify"
    reads: ClassVar[type[Record] | None] = Trajectory
    writes: ClassVar[type[Record]] = Trajectory

    sandbox: Annotated[Sandbox | None, Component("sandbox")] = None
    """Where attempts are judged; left out: the pipeline's."""
    judge: Annotated[Teacher | None, Component("teacher")] = None
    """Who says whether an answer to a question is right where it is not word for word an accepted one; left out: its
    reward is the token F1 with the nearest accepted answer."""
    at_once: int = Field(default=2 * CORES, ge=1, exclude=True)
    """Attempts judged at a time."""

    def wants(self) -> Set[str]:
        """A sandbox, which is started once an attempt is to be judged in a box."""
        return {"sandbox"}

    def calls(self, items: int) -> str:
        """At most one box an attempt, and a judge's word."""
        asked = f", at most {items:,} calls of the judge" if self.judge is not None else ""
        return f"at most {items:,} boxes{asked}"

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Judge attempts as they stop."""
        assert source is not None

        async def attempts() -> AsyncIterator[tuple[str, Trajectory]]:
            async for trajectory in source.follow():
                yield trajectory.id, trajectory

        async def judge(key: str, attempt: Trajectory) -> Trajectory:
            task = run.find(Task, attempt.task_id)
            return await judged_attempt(
                attempt, task, run, sandbox=self.sandbox, judge=self.judge, scope=f"verify:{attempt.id}"
            )

        await run.each(attempts(), judge, at_once=self.at_once)


async def judged_attempt(
    attempt: Trajectory, task: Task, run: Run[Any], *, sandbox: Sandbox | None, judge: Teacher | None, scope: str
) -> Trajectory:
    """The attempt with its verdict, and without artifacts but those that its task collects. Raises SandboxError,
    TeacherError."""
    if task.question is not None:
        return attempt.but(verdict=await _graded(task, task.question, attempt, run, judge, scope))
    with boundary(SandboxError, "judging an attempt"):
        assert sandbox is not None
        verdict = await verify(await host_of(run, sandbox), task, attempt.artifacts)
    return attempt.but(verdict=verdict, artifacts=attempt.artifacts if task.collect else {})


async def _graded(
    task: Task, question: Question, attempt: Trajectory, run: Run[Any], judge: Teacher | None, scope: str
) -> Verdict:
    given, right = attempt.answer, None
    if judge is not None and needs_judge(question, given):
        seed = int(digest_of([run.seed, "judge", attempt.id]), 16) % (1 << 31)
        episode = Episode(id=attempt.id, seed=seed, task=task)
        line = await line_to(run, judge, scope=scope, episode=episode)
        with boundary(TeacherError, "asking the judge"):
            right = await judged(question, given or "", line, episode)
    return grade(question, given, found=attempt.found, visited=attempt.visited, judged=right)
