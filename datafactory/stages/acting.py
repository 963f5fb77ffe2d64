"""What stages share whose teacher, or student, attempts tasks: where, by which dialect, and within which limits."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from datafactory import __version__
from datafactory.agent import SEARCHES, AgentName, Limits, Ruler
from datafactory.agent.search import SearchLimits
from datafactory.corpora.retrievers import BM25, Retriever
from datafactory.local import CORES
from datafactory.protocols import Episode, Sandbox, Teacher
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.attempting import Asked, InBoxes, InLibraries, Place
from datafactory.stages.live import host_of, line_to
from datafactory.stages.stage import Stage
from datafactory.types import Lineage, Task, Trajectory, digest_of


class Acting(Stage):
    """Makes attempts at tasks."""

    sandbox: Annotated[Sandbox | None, Component("sandbox")] = None
    """Where the agent acts; left out: the pipeline's."""
    agent: AgentName = "terminus-2"
    """The dialect: Terminus 2 JSON with keystrokes, native tool calls (`bash`, `submit`), or the tools of OpenHands;
    for questions `search` (native tool calls) or `search-tags` (ASearcher's tags), which open no box."""
    retriever: Annotated[Retriever, Component("retriever")] = BM25()
    """How a corpus is searched, where tasks are questions."""
    search: SearchLimits = SearchLimits()
    """What searches and pages may show, where tasks are questions (docs/search-agent.md)."""
    attempts: int = Field(default=4, ge=1, le=1000)
    """Attempts per task."""
    max_turns: int = Field(default=30, ge=1)
    """Replies of the teacher before the attempt is stopped."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Completion tokens of one attempt before it is stopped; left out: no limit."""
    max_seconds: float = Field(default=900.0, gt=0)
    """What the model and the box may take in one attempt before it is stopped (Harbor's default for agents); waiting
    for a server, or for a place at it, does not count."""
    artifact_bytes: int = Field(default=16 << 20, ge=1)
    """Bytes of artifacts carried over; what is larger is left out, with a note in the row."""
    at_once: int = Field(default=min(256, 16 * CORES), ge=1, exclude=True)
    """Attempts at a time: more than a teacher answers at once, since tools run meanwhile; each holds a box."""

    async def place(self, run: Run[Any], agent: str) -> Place:
        """Where attempts in that dialect take place: the sandbox is up then. Raises SandboxError or Missing."""
        if agent in SEARCHES:
            return InLibraries(agent, run, self.retriever, self.search)
        assert self.sandbox is not None
        return InBoxes(agent, self.sandbox, await host_of(run, self.sandbox), self.artifact_bytes)

    async def attempt(
        self,
        task: Task,
        number: int,
        teacher: Teacher,
        *,
        run: Run[Any],
        place: Place,
        agent: str,
        scope: str,
        ruler: Ruler | None = None,
    ) -> Trajectory:
        """One attempt, the same for the same run, task and number. `scope` names it in the run's ledger. Raises
        TeacherError, SandboxError, SearchError, ConfigError."""
        key = f"{task.id}/{number}"
        seed = int(digest_of([run.seed, key]), 16) % (1 << 31)
        episode = Episode(id=key, seed=seed, task=task, agent=agent)
        line = await line_to(run, teacher, scope=scope, episode=episode)
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
            agent=agent,
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
