"""The embedded expert: no model, but the task's own solution, shown turn by turn the way an agent works."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar

from pydantic import Field

from datafactory.errors import TeacherError
from datafactory.protocols import Chat, Episode
from datafactory.spec import Spec
from datafactory.types import Message, Reply

_SPEAKS = ("terminus-2", "tools", "openhands")
_SEARCHES = ("search", "search-tags")


class OracleTeacher(Spec):
    """Demonstrates a task's reference solution: looks, acts, checks, corrects a slip, finishes. Of a question it knows
    the pages that support the answer, and has to find them by searching. Every reply names the model `oracle` and
    counts no tokens."""

    use_name: ClassVar[str] = "oracle"
    paid: ClassVar[bool] = False

    slip: float = Field(default=0.15, ge=0, le=1)
    """How likely a mistyped command is, at each turn that could have one; it only ever reads, and is corrected. Of a
    question: how likely a wrong result is opened; a poor query is twice as likely."""

    @property
    def name(self) -> str:
        """As recorded in trajectories: marks what no model wrote."""
        return "oracle"

    def sampling(self) -> dict[str, Any]:
        """The share of slips."""
        return {"slip": self.slip}

    def open(self) -> AbstractAsyncContextManager[Chat]:
        """Nothing to start."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Chat]:
        yield OracleChat(self.slip)


class OracleChat:
    """Stateless: a reply follows from the episode's task and seed and from the messages so far."""

    def __init__(self, slip: float) -> None:
        self._slip = slip

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """The next turn. Raises TeacherError where there is no task, no solution or no dialect that it speaks."""
        from datafactory.teachers.oracle.developer import developed, story
        from datafactory.teachers.oracle.mind import next_beat, told_beat
        from datafactory.teachers.oracle.searcher import searched
        from datafactory.teachers.oracle.voice import MODEL, spoken

        if episode is None or episode.task is None:
            raise TeacherError(
                "oracle: the request belongs to no task; the oracle can only demonstrate tasks in a rollout"
            )
        if episode.task.question is not None:
            if episode.agent not in _SEARCHES:
                raise TeacherError(f"oracle: answers a question by {' or '.join(_SEARCHES)}, not by {episode.agent!r}")
            if episode.task.question.answers and not episode.task.question.hops:
                raise TeacherError(f"oracle: task {episode.task.id!r} names no pages that lead to its answer")
            if schema is not None:  # of a summary: it writes none, and the page comes in parts
                return Reply(message=Message(role="assistant"), model=MODEL)
            return searched(episode, episode.task.question, self._slip, messages)
        if not episode.task.solution:
            raise TeacherError(f"oracle: task {episode.task.id!r} has no solution to demonstrate")
        if episode.agent not in _SPEAKS:
            raise TeacherError(f"oracle: speaks {', '.join(_SPEAKS)}, not {episode.agent!r}")
        if developed(episode.task):
            beat = told_beat(story(episode, self._slip), episode.agent, episode.seed, messages)
        elif episode.executes:
            beat = next_beat(episode.task, episode.seed, self._slip, episode.agent, messages)
        else:
            raise TeacherError(
                f"oracle: task {episode.task.id!r} has no fix that edits files which it names; its solution has to be"
                " executed, and nothing can be here"
            )
        turn = sum(message.role == "assistant" for message in messages)
        return spoken(beat, episode.agent, turn)
