"""Where an attempt takes place: in a box, or in the library of its corpus where the task is a question."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from datafactory.agent import SEARCHES, Attempted, Limits, Ruler, attempt, dialect
from datafactory.agent.search import SearchLimits, searching
from datafactory.calls import Line
from datafactory.corpora.retrievers import Retriever
from datafactory.errands import carry_off
from datafactory.errors import ConfigError, SandboxError, SearchError, boundary
from datafactory.protocols import Episode, Guarded, Sandbox, SandboxHost
from datafactory.run import Run
from datafactory.stages.live import library_of
from datafactory.types import Task


@dataclass(frozen=True, slots=True)
class Asked:
    """What an attempt at a task is given."""

    task: Task
    line: Line
    episode: Episode
    limits: Limits
    student: Ruler | None


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it."""

    done: Attempted
    place: dict[str, str]
    """For the lineage: `image`, `image_digest` and `sandbox`."""
    more: dict[str, Any] = field(default_factory=dict)
    """Fields of the trajectory that only this kind of place knows."""


class Place(Protocol):
    """Where attempts of one stage take place."""

    async def attempt(self, asked: Asked) -> Made:
        """One attempt. Raises TeacherError, SandboxError, SearchError; ConfigError for a task that cannot be attempted
        here."""
        ...


@dataclass(frozen=True, slots=True)
class InBoxes:
    """Each attempt in a box of its own."""

    agent: str
    sandbox: Sandbox
    host: SandboxHost
    artifact_bytes: int

    async def attempt(self, asked: Asked) -> Made:
        """See `Place`."""
        task = asked.task
        if task.question is not None:
            raise ConfigError(f"rollout: task {task.id} is a question, which {self.agent!r} cannot look up: {_SEARCH}")
        with boundary(SandboxError, "attempting a task"):
            async with self.host.open(task.image, task.files, workdir=task.workdir, prepare=task.prepare) as box:
                episode = replace(asked.episode, executes=not isinstance(box, Guarded))
                conversation = dialect(self.agent)(task, box)
                done = await attempt(
                    conversation, asked.line, limits=asked.limits, episode=episode, student=asked.student
                )
                artifacts, note = await carry_off(box, task, limit=self.artifact_bytes)
                violations = tuple(box.violations) if isinstance(box, Guarded) else ()
            digest = self.host.image_digest(task.image)
        place = {"image": task.image, "image_digest": digest, "sandbox": self.sandbox.name}
        return Made(done, place, {"artifacts": artifacts, "artifacts_note": note, "violations": violations})


_SEARCH = f"put agent: {' or '.join(SEARCHES)} into the stage, or questions into a pipeline of their own"


@dataclass(frozen=True, slots=True)
class InLibraries:
    """Each attempt in the library of its question's corpus, which all of them share."""

    agent: str
    run: Run[Any]
    retriever: Retriever
    limits: SearchLimits

    async def attempt(self, asked: Asked) -> Made:
        """See `Place`."""
        task = asked.task
        if task.question is None:
            raise ConfigError(f"rollout: task {task.id} is no question, so {self.agent!r} has nowhere to search")
        with boundary(SearchError, "answering a question"):
            library = await library_of(self.run, task.question.corpus, self.retriever)
            conversation = searching(
                task, library, asked.line, dialect=self.agent, limits=self.limits, episode=asked.episode
            )
            done = await attempt(
                conversation, asked.line, limits=asked.limits, episode=asked.episode, student=asked.student
            )
        place = {"image": library.corpus, "image_digest": library.digest, "sandbox": ""}
        desk = conversation.desk
        return Made(done, place, {"answer": desk.answer, "found": desk.found, "visited": desk.visited})
