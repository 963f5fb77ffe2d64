"""Students whose worth is known, and a trainer that trains nobody, as a user would write them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import Field

from datafactory.errors import TeacherError
from datafactory.protocols import Chat, Episode
from datafactory.spec import Spec
from datafactory.teachers.oracle import OracleTeacher
from datafactory.types import Message, Model, Reply, ToolCall, Usage


class Untrained(Spec):
    """Leaves no model."""

    base: str | None = None

    async def train(self, table: Path, folder: Path) -> Model:
        """Says that there is one."""
        return Model(folder="model", base=self.base or "base", base_on_hub=self.base is not None, seconds=1.5)


class Student(Spec):
    """Is always right, or never, at tasks and at sums; the one that is wrong does not write its answers as asked."""

    model: str = "student"
    right: bool
    log: str = Field(default="", exclude=True)
    """A file that gets a line for each trial that is begun."""
    down: str = Field(default="", exclude=True)
    """While there is such a file, nobody answers at tasks."""

    @property
    def name(self) -> str:
        """As recorded in trials."""
        return "right" if self.right else "wrong"

    def sampling(self) -> dict[str, Any]:
        """Nothing is sampled."""
        return {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Chat]:
        """Be there."""
        async with OracleTeacher().open() as oracle:
            yield _Pupil(self, oracle)


class _Pupil:
    def __init__(self, spec: Student, oracle: Chat) -> None:
        self._spec, self._oracle = spec, oracle

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        assert episode is not None
        if episode.task is not None and self._spec.down and Path(self._spec.down).exists():
            error = TeacherError("nobody is there")
            error.final = True
            raise error
        if self._spec.log and all(message.role != "assistant" for message in messages):
            with Path(self._spec.log).open("a") as log:
                log.write(f"{self._spec.name} {episode.id}\n")
        if episode.task is None:
            number = int(messages[0].content.split()[2]) + 1  # What is 7 + 1?
            said = Message(role="assistant", content=f"So:\n#### {number}" if self._spec.right else f"{number + 1}?")
        elif self._spec.right:
            return await self._oracle.reply(messages, tools=tools, schema=schema, episode=episode)
        else:
            said = Message(role="assistant", tool_calls=(ToolCall(id="x", name="submit"),))
        return Reply(message=said, model=self._spec.model, usage=Usage(completion_tokens=7))
