"""Verify: every attempt is judged in a clean box that the agent never touched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Set
from typing import Annotated, Any, ClassVar

from pydantic import Field

from datafactory.checks import verify
from datafactory.errors import SandboxError, boundary
from datafactory.local import CORES
from datafactory.protocols import Sandbox
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.live import host_of
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import Record, Task, Trajectory


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
    at_once: int = Field(default=2 * CORES, ge=1, exclude=True)
    """Attempts judged at a time."""

    def wants(self) -> Set[str]:
        """A sandbox."""
        return {"sandbox"}

    def calls(self, items: int) -> str:
        """One box an attempt."""
        return f"{items:,} boxes"

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Judge attempts as they stop."""
        assert source is not None
        assert self.sandbox is not None
        host = await host_of(run, self.sandbox)

        async def attempts() -> AsyncIterator[tuple[str, Trajectory]]:
            async for trajectory in source.follow():
                yield trajectory.id, trajectory

        async def judge(key: str, attempt: Trajectory) -> Trajectory:
            task = run.find(Task, attempt.task_id)
            with boundary(SandboxError, "judging an attempt"):
                verdict = await verify(host, task, attempt.artifacts)
            return attempt.but(verdict=verdict, artifacts=attempt.artifacts if task.collect else {})

        await run.each(attempts(), judge, at_once=self.at_once)
