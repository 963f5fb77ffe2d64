"""Stages of a user's own, as a pipeline file names them: `workshop:Count`. They need no box and no teacher."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from datafactory.errors import SandboxError
from datafactory.run import Run
from datafactory.spec import Spec
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import Record, Reject

EVENTS: list[str] = []
"""What happened, in order; a test clears it."""


class Part(Record):
    """What `Count` makes."""

    id: str
    n: int


class Whole(Record):
    """What `Build` makes of a part."""

    id: str
    text: str


class Count(Stage):
    """Begins a pipeline: parts 0 to count - 1."""

    writes: ClassVar[type[Record]] = Part

    count: int = Field(default=10, ge=1)
    """How many."""
    words: Path | None = None
    """A file whose content shapes the parts."""
    pause: float = Field(default=0.0, exclude=True)
    """Seconds that a part takes."""
    at_once: int = Field(default=2, ge=1, exclude=True)
    """A knob of speed."""

    def inputs(self) -> Iterable[Path]:
        return () if self.words is None else (self.words,)

    def items(self) -> Iterator[tuple[str, int]]:
        for n in range(self.count):
            yield f"p{n}", n

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        async def make(key: str, n: int) -> Part:
            await asyncio.sleep(self.pause)
            EVENTS.append(f"count {key}")
            return Part(id=key, n=n)

        await run.each(self.items(), make, at_once=self.at_once)


class Build(Stage):
    """Makes a whole of each part; `out_of_order` are parts whose box does not open while `broken` is there."""

    reads: ClassVar[type[Record] | None] = Part
    writes: ClassVar[type[Record]] = Whole

    prefix: str = "whole"
    out_of_order: tuple[int, ...] = ()
    broken: Path | None = Field(default=None, exclude=True)
    skip_odd: bool = False

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        assert source is not None
        run._tries, run._pause = 1, 0.0  # the tests do not wait for pauses

        async def parts() -> AsyncIterator[tuple[str, Part]]:
            async for part in source.follow():
                yield part.id, part

        async def build(key: str, part: Part) -> Whole | Reject:
            EVENTS.append(f"build {key}")
            if part.n in self.out_of_order and self.broken is not None and self.broken.exists():
                raise SandboxError("no box")
            if self.skip_odd and part.n % 2:
                return Reject(reason="odd")
            return Whole(id=key, text=f"{self.prefix} {part.n}")

        await run.each(parts(), build, at_once=2)


class Weigh(Stage):
    """Columnar: one record that counts the wholes."""

    reads: ClassVar[type[Record] | None] = Whole
    writes: ClassVar[type[Record]] = Part
    columnar: ClassVar[bool] = True

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        assert source is not None
        EVENTS.append("weigh")
        await run.emit("all", Part(id="all", n=sum(1 for _ in source)))


class Mistaken(Build):
    """Has a mistake in its work."""

    async def run(self, source: Shelf[Any] | None, run: Run[Any]) -> None:
        raise ZeroDivisionError("a mistake of the stage's own")


class Unwritten(Stage):
    """Does not say what it writes."""


class NoStage(Spec):
    """Has the method, and is no stage."""

    def run(self) -> None:
        """Nothing."""


class NoSpec:
    """Is no recipe."""

    def run(self) -> None:
        """Nothing."""


class NoMethod(Spec):
    """Has no trade."""


class Picky(Spec):
    """A generator that says what would stop it."""

    count: int = 1
    asks: ClassVar[bool] = False

    def problems(self) -> Iterable[str]:
        return ("the seed bank is empty; fill it first",)

    async def make(self, slot: Any, chat: Any) -> Any:
        raise NotImplementedError


class Asking(Picky):
    """A generator that asks a teacher."""

    asks: ClassVar[bool] = True

    def problems(self) -> Iterable[str]:
        return ()
