"""Rollout: a teacher attempts every task, in a box or, where it is a question, in the library of its corpus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Set
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from datafactory import __version__
from datafactory.agent import SEARCHES, Limits, Ruler, Student
from datafactory.agent.search import SearchLimits
from datafactory.corpora.retrievers import BM25, Retriever
from datafactory.local import CORES
from datafactory.protocols import Episode, Sandbox, Teacher
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.attempting import Asked, InBoxes, InLibraries, Place
from datafactory.stages.live import host_of, line_to
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import Lineage, Record, Task, Trajectory, digest_of


class Rollout(Stage):
    """Makes trajectories: what the agent saw and did, why it stopped, and the artifacts it left."""

    use_name: ClassVar[str] = "rollout"
    reads: ClassVar[type[Record] | None] = Task
    writes: ClassVar[type[Record]] = Trajectory
    later: ClassVar[frozenset[str]] = frozenset(("tasks",))

    teacher: Annotated[Teacher | None, Component("teacher")] = None
    """Who acts; left out: the pipeline's."""
    sandbox: Annotated[Sandbox | None, Component("sandbox")] = None
    """Where the agent acts; left out: the pipeline's."""
    agent: Literal["terminus-2", "tools", "openhands", "search", "search-tags"] = "terminus-2"
    """The dialect: Terminus 2 JSON with keystrokes, native tool calls (`bash`, `submit`), or the tools of OpenHands;
    for questions `search` (native tool calls) or `search-tags` (ASearcher's tags), which open no box."""
    retriever: Annotated[Retriever, Component("retriever")] = BM25()
    """How a corpus is searched, where tasks are questions."""
    search: SearchLimits = SearchLimits()
    """What searches and pages may show, where tasks are questions (docs/search-agent.md)."""
    attempts: int = Field(default=4, ge=1, le=1000)
    """Attempts per task."""
    tasks: Literal["training", "held_out", "all"] = "training"
    """Which tasks are attempted: those that are not held out, those that are, or all."""
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
        place = await self._place(run)

        run.shelf.facts["passed_by"] = 0

        async def attempts() -> AsyncIterator[tuple[str, tuple[Task, int]]]:
            async for task in source.follow():
                if not self._wanted(task):
                    run.shelf.facts["passed_by"] += 1
                    continue
                for number in range(self.attempts):
                    yield f"{task.id}/{number}", (task, number)

        async def act(key: str, item: tuple[Task, int]) -> Trajectory:
            return await self._attempt(key, *item, run=run, place=place, ruler=ruler)

        await run.each(attempts(), act, at_once=self.at_once)

    def _wanted(self, task: Task) -> bool:
        return self.tasks == "all" or bool(task.held_out) == (self.tasks == "held_out")

    async def _place(self, run: Run[Any]) -> Place:
        if self.agent in SEARCHES:
            return InLibraries(self.agent, run, self.retriever, self.search)
        assert self.sandbox is not None
        return InBoxes(self.agent, self.sandbox, await host_of(run, self.sandbox), self.artifact_bytes)

    async def _attempt(
        self, key: str, task: Task, number: int, *, run: Run[Any], place: Place, ruler: Ruler | None
    ) -> Trajectory:
        seed = int(digest_of([run.seed, key]), 16) % (1 << 31)
        episode = Episode(id=key, seed=seed, task=task, agent=self.agent)
        assert self.teacher is not None
        line = await line_to(run, self.teacher, scope=f"rollout:{key}", episode=episode)
        limits = Limits(turns=self.max_turns, tokens=self.max_tokens, seconds=self.max_seconds)
        made = await place.attempt(Asked(task, line, episode, limits, ruler))
        done = made.done
        lineage = Lineage(
            run=run.name,
            pipeline_digest=run.digest,
            prompt_digest=digest_of(done.messages[0].content),
            task_digest=task.digest,
            model=done.model,
            sampling=line.teacher.sampling(),
            seed=seed,
            code_version=__version__,
            **made.place,
        )
        return Trajectory(
            task_id=task.id,
            attempt=number,
            teacher=line.teacher.name,
            agent=self.agent,
            domain=task.domain,
            skills=task.skills,
            generator=task.source.generator,
            messages=done.messages,
            tools=done.tools,
            stop=done.stop,
            usage=done.usage,
            seconds=round(done.seconds, 3),
            compacted=done.compacted,
            student_tokens=done.student_tokens,
            lineage=lineage,
            **made.more,
        )
