"""A generator of questions and a sandbox that must not start, as a user would write them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, ClassVar

from datafactory.corpora import CorpusSpec, stock
from datafactory.errors import Missing
from datafactory.protocols import Chat, SandboxHost, Slot
from datafactory.spec import Component, Spec
from datafactory.types import Draft, Hop, Question, Reject, Source

ANSWERS = (("Ada Lovelace",), (), ("the",))
"""Of the slots in turn: one with an answer, one without, and one whose answer says nothing."""


class Locked(Spec):
    """A sandbox of a machine that has none."""

    name: ClassVar[str] = "locked"

    @asynccontextmanager
    async def start(self) -> AsyncIterator[Any]:
        raise Missing("nobody may start a sandbox for questions")
        yield


class Asking(Spec):
    """Asks a question a slot; without `proves` the stage has to see whether it is sound."""

    boxes: ClassVar[bool] = False
    asks: ClassVar[bool] = False

    count: int = 2
    corpus: Annotated[CorpusSpec, Component("corpus")]

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        hops = (Hop(url="ada", statement="Ada Lovelace wrote the notes."),)
        name = stock(self.corpus).name
        asked = Question(corpus=name, text="Who wrote the notes?", answers=ANSWERS[slot.index], hops=hops)
        return Draft(prompt=asked.text, question=asked, domain="search", source=Source(generator="asking"))


class Opening(Asking):
    """Opens a box all the same."""

    @asynccontextmanager
    async def open(self, host: SandboxHost) -> AsyncIterator[Any]:
        async with host.open("base", {}):
            yield self
