"""A stage of short calls and nothing else, for measuring what kills cost: `kills_stage:Ask` in a pipeline file."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Annotated, Any, ClassVar

from pydantic import Field

from datafactory.protocols import Episode, Teacher
from datafactory.run import Run
from datafactory.spec import Component
from datafactory.stages.live import line_to
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import Message, Record


class Answer(Record):
    """What was said to one question."""

    id: str
    said: str


class Ask(Stage):
    """Asks `count` questions of one turn each."""

    writes: ClassVar[type[Record]] = Answer

    teacher: Annotated[Teacher | None, Component("teacher")] = None
    """Who is asked."""
    count: int = Field(ge=1)
    """Questions."""
    at_once: int = Field(default=256, ge=1, exclude=True)
    """Questions on their way at a time."""

    def wants(self) -> Set[str]:
        """A teacher."""
        return {"teacher"}

    def expected(self, before: int | None) -> int | None:
        """All questions."""
        return self.count

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        """Ask."""
        teacher = self.teacher
        assert teacher is not None

        def questions() -> Iterator[tuple[str, int]]:
            for number in range(self.count):
                yield str(number), number

        async def ask(key: str, number: int) -> Answer:
            episode = Episode(key, seed=number)
            line = await line_to(run, teacher, scope=f"ask:{key}", episode=episode)
            reply = await line.reply([Message(role="user", content=f"Say something of {number}")], episode=episode)
            return Answer(id=key, said=reply.message.content)

        await run.each(questions(), ask, at_once=self.at_once)
