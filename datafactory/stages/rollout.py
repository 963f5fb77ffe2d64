"""Rollout: a teacher attempts every task, each attempt in a box of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Set
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from datafactory import __version__
from datafactory.agent import Attempted, Limits, Ruler, Student, attempt, dialect
from datafactory.errands import carry_off
from datafactory.errors import SandboxError, boundary
from datafactory.local import CORES
from datafactory.protocols import Episode, Guarded, Sandbox, SandboxHost, Teacher
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.live import host_of, line_to
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import Files, Lineage, Record, Task, Trajectory, digest_of


class Rollout(Stage):
    """Makes trajectories: what the agent saw and did, why it stopped, and the artifacts it left."""

    use_name: ClassVar[str] = "rollout"
    reads: ClassVar[type[Record] | None] = Task
    writes: ClassVar[type[Record]] = Trajectory

    teacher: Annotated[Teacher | None, Component("teacher")] = None
    """Who acts; left out: the pipeline's."""
    sandbox: Annotated[Sandbox | None, Component("sandbox")] = None
    """Where the agent acts; left out: the pipeline's."""
    agent: Literal["terminus-2", "tools", "openhands"] = "terminus-2"
    """The dialect: Terminus 2 JSON with keystrokes, native tool calls (`bash`, `submit`), or the tools of OpenHands."""
    attempts: int = Field(default=4, ge=1, le=1000)
    """Attempts per task."""
    max_turns: int = Field(default=30, ge=1)
    """Replies of the teacher before the attempt is stopped."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Completion tokens of one attempt before it is stopped; left out: no limit."""
    max_seconds: float = Field(default=900.0, gt=0)
    """What the model and the box may take in one attempt before it is stopped (Harbor's default for agents); waiting
    for a server, or for a place at it, does not count."""
    student: Student | None = None
    """Who is trained on the rows: `tokenizer`, `max_length`, `policy` (docs/agent.md). An attempt that would not fit it
    is known before the next call is paid for; left out: rows may be of any length."""
    artifact_bytes: int = Field(default=16 << 20, ge=1)
    """Bytes of artifacts carried over; what is larger is left out, with a note in the row."""
    at_once: int = Field(default=min(256, 16 * CORES), ge=1, exclude=True)
    """Attempts at a time: more than a teacher answers at once, since tools run meanwhile; each holds a box."""

    def wants(self) -> Set[str]:
        """A teacher and a sandbox."""
        return {"teacher", "sandbox"}

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
        """One box an attempt, and at most `max_turns` calls."""
        return f"{items:,} boxes, at most {items * self.max_turns:,} teacher calls"

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Attempt tasks as they come."""
        assert source is not None
        assert self.sandbox is not None
        ruler = await asyncio.to_thread(self.student.load, self.agent) if self.student is not None else None
        host = await host_of(run, self.sandbox)

        async def attempts() -> AsyncIterator[tuple[str, tuple[Task, int]]]:
            async for task in source.follow():
                for number in range(self.attempts):
                    yield f"{task.id}/{number}", (task, number)

        async def act(key: str, item: tuple[Task, int]) -> Trajectory:
            return await self._attempt(key, *item, run=run, host=host, ruler=ruler)

        await run.each(attempts(), act, at_once=self.at_once)

    async def _attempt(
        self, key: str, task: Task, number: int, *, run: Run[Any], host: SandboxHost, ruler: Ruler | None
    ) -> Trajectory:
        seed = int(digest_of([run.seed, key]), 16) % (1 << 31)
        episode = Episode(id=key, seed=seed, task=task, agent=self.agent)
        assert self.teacher is not None
        line = await line_to(run, self.teacher, scope=f"rollout:{key}", episode=episode)
        limits = Limits(turns=self.max_turns, tokens=self.max_tokens, seconds=self.max_seconds)
        with boundary(SandboxError, "attempting a task"):
            async with host.open(task.image, task.files, workdir=task.workdir, prepare=task.prepare) as box:
                acts = replace(episode, executes=not isinstance(box, Guarded))
                done = await attempt(dialect(self.agent)(task, box), line, limits=limits, episode=acts, student=ruler)
                artifacts, note = await carry_off(box, task, limit=self.artifact_bytes)
                violations = tuple(box.violations) if isinstance(box, Guarded) else ()
            image = host.image_digest(task.image)
        lineage = self._lineage(task, done, line.teacher, seed, image, run)
        row = _trajectory(task, number, done, artifacts, note, line.teacher.name, self.agent, lineage)
        return row.but(violations=violations)

    def _lineage(self, task: Task, done: Attempted, teacher: Teacher, seed: int, image: str, run: Run[Any]) -> Lineage:
        assert self.sandbox is not None
        return Lineage(
            run=run.name,
            pipeline_digest=run.digest,
            prompt_digest=digest_of(done.messages[0].content),
            task_digest=task.digest,
            model=done.model,
            sampling=teacher.sampling(),
            image=task.image,
            image_digest=image,
            sandbox=self.sandbox.name,
            seed=seed,
            code_version=__version__,
        )


def _trajectory(
    task: Task, number: int, done: Attempted, artifacts: Files, note: str, teacher: str, agent: str, lineage: Lineage
) -> Trajectory:
    return Trajectory(
        task_id=task.id,
        attempt=number,
        teacher=teacher,
        agent=agent,
        domain=task.domain,
        skills=task.skills,
        generator=task.source.generator,
        messages=done.messages,
        tools=done.tools,
        artifacts=artifacts,
        artifacts_note=note,
        stop=done.stop,
        usage=done.usage,
        seconds=round(done.seconds, 3),
        compacted=done.compacted,
        student_tokens=done.student_tokens,
        lineage=lineage,
    )
