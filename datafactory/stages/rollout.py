"""Rollout: a teacher attempts every task, in a box or, where it is a question, in the library of its corpus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Set
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from datafactory.agent import SEARCHES, Student
from datafactory.protocols import Teacher
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.acting import Acting
from datafactory.storage import Shelf
from datafactory.types import Record, Task, Trajectory


class Rollout(Acting):
    """Makes trajectories: what the agent saw and did, why it stopped, and the artifacts it left."""

    use_name: ClassVar[str] = "rollout"
    reads: ClassVar[type[Record] | None] = Task
    writes: ClassVar[type[Record]] = Trajectory
    later: ClassVar[frozenset[str]] = frozenset(("tasks",))

    teacher: Annotated[Teacher | None, Component("teacher")] = None
    """Who acts; left out: the pipeline's."""
    tasks: Literal["training", "held_out", "all"] = "training"
    """Which tasks are attempted: those that are not held out, those that are, or all."""
    student: Student | None = None
    """Who is trained on the rows: `tokenizer`, `max_length`, `policy` (docs/agent.md). An attempt that would not fit it
    is known before the next call is paid for; left out: rows may be of any length."""

    def wants(self) -> Set[str]:
        """A teacher, and a sandbox unless questions are answered."""
        return {"teacher"} if self.agent in SEARCHES else {"teacher", "sandbox"}

    def problems(self) -> Iterable[str]:
        """What the student lacks."""
        return self.student.problems() if self.student is not None else ()

    def inputs(self) -> Iterable[Path]:
        """The files of the student's tokenizer."""
        return self.student.inputs() if self.student is not None else ()

    def expected(self, before: int | None) -> int | None:
        """Attempts in all."""
        return None if before is None else before * self.attempts

    def calls(self, items: int) -> str:
        """One box an attempt, unless questions are answered, and at most `max_turns` calls."""
        boxes = "" if self.agent in SEARCHES else f"{items:,} boxes, "
        return f"{boxes}at most {items * self.max_turns:,} teacher calls"

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Attempt tasks as they come."""
        assert source is not None
        ruler = await asyncio.to_thread(self.student.load, self.agent) if self.student is not None else None
        place = await self.place(run, self.agent)

        run.shelf.facts["passed_by"] = 0

        async def attempts() -> AsyncIterator[tuple[str, tuple[Task, int]]]:
            async for task in source.follow():
                if not self._wanted(task):
                    run.shelf.facts["passed_by"] += 1
                    continue
                for number in range(self.attempts):
                    yield f"{task.id}/{number}", (task, number)

        async def act(key: str, item: tuple[Task, int]) -> Trajectory:
            assert self.teacher is not None
            return await self.attempt(
                *item, self.teacher, run=run, place=place, agent=self.agent, scope=f"rollout:{key}", ruler=ruler
            )

        await run.each(attempts(), act, at_once=self.at_once)

    def _wanted(self, task: Task) -> bool:
        return self.tasks == "all" or bool(task.held_out) == (self.tasks == "held_out")
