"""Stages that ask a teacher and need no box: `quiz:Ask` begins a pipeline, `quiz:Mark` follows it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any, ClassVar

from pydantic import Field

from datafactory.calls import Price
from datafactory.protocols import Chat, Episode, Teacher
from datafactory.run import Run
from datafactory.spec import Component, Spec
from datafactory.stages.live import line_to
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import Message, Record, Reply, Usage


class Answers(Record):
    """What one conversation came to."""

    id: str
    said: tuple[str, ...]


class Ask(Stage):
    """Holds `count` conversations of `turns` questions each; odd ones are asked nothing where `even` is set."""

    writes: ClassVar[type[Record]] = Answers

    teacher: Annotated[Teacher | None, Component("teacher")] = None
    count: int = Field(default=4, ge=1)
    turns: int = Field(default=3, ge=1)
    even: bool = False
    at_once: int = Field(default=2, ge=1, exclude=True)

    def wants(self) -> set[str]:
        return {"teacher"}

    def expected(self, before: int | None) -> int | None:
        return self.count

    def items(self) -> Iterator[tuple[str, int]]:
        for n in range(self.count):
            yield f"q{n}", n

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        run._pause = 0.0  # the tests do not wait for pauses

        async def talk(key: str, n: int) -> Answers:
            if self.even and n % 2:
                return Answers(id=key, said=())
            assert self.teacher is not None
            episode = Episode(key, seed=n)
            line = await line_to(run, self.teacher, scope=f"ask:{key}", episode=episode)
            messages: list[Message] = []
            for turn in range(self.turns):
                messages.append(Message(role="user", content=f"question {turn} of {key}"))
                messages.append((await line.reply(messages, episode=episode)).message)
            return Answers(id=key, said=tuple(m.content for m in messages if m.role == "assistant"))

        await run.each(self.items(), talk, at_once=self.at_once)


class Mark(Stage):
    """Passes the answers on; it has no teacher."""

    reads: ClassVar[type[Record] | None] = Answers
    writes: ClassVar[type[Record]] = Answers

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        assert source is not None

        async def answers() -> AsyncIterator[tuple[str, Answers]]:
            async for found in source.follow():
                yield found.id, found

        async def mark(key: str, found: Answers) -> Answers:
            return found

        await run.each(answers(), mark, at_once=2)


OPENED: list[str] = []
"""Which teachers of the class below were opened and closed, and when `Last` came; a test clears it."""


class Last(Stage):
    """Columnar: waits for everything before it."""

    reads: ClassVar[type[Record] | None] = Answers
    writes: ClassVar[type[Record]] = Answers
    columnar: ClassVar[bool] = True

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        OPENED.append("last")
        await run.emit("all", Answers(id="all", said=()))


class Parrot(Spec):
    """A teacher of a user's own, that holds GPUs."""

    word: str = "polly"
    gpus: int = Field(default=0, exclude=True)
    price: Price | None = Field(default=None, exclude=True)

    @property
    def name(self) -> str:
        return "parrot"

    def sampling(self) -> dict[str, Any]:
        return {"word": self.word}

    def open(self) -> AbstractAsyncContextManager[Chat]:
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Chat]:
        OPENED.append(self.word)
        yield Cage(self)
        OPENED.append(f"{self.word} closed")


class Cage:
    """A chat that repeats the last word."""

    def __init__(self, spec: Parrot) -> None:
        self.gpus = spec.gpus
        self._word = spec.word

    async def reply(self, messages: Any, *, tools: Any = (), schema: Any = None, episode: Any = None) -> Reply:
        said = Message(role="assistant", content=f"{self._word}: {messages[-1].content}")
        return Reply(message=said, model="bird", usage=Usage(prompt_tokens=10, completion_tokens=5))
