"""A generator of one question about a chain of pages, which needs no model and no box: `riddle:Riddle`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, ClassVar

from datafactory.corpora import CorpusSpec, stock
from datafactory.protocols import Chat, SandboxHost, Slot
from datafactory.spec import Component, Spec
from datafactory.types import Draft, Hop, Question, Reject, Source

ASKED = "Which station comes at the end of the line that starts at Station 0?"


@dataclass(frozen=True)
class Made:
    """Asks about the one corpus."""

    corpus: str
    last: int

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        hops = (Hop(url=f"s{self.last}", statement=f"Station {self.last} is the end.", finds=f"Station {self.last}"),)
        question = Question(corpus=self.corpus, text=ASKED, answers=(f"Station {self.last}",), hops=hops)
        return Draft(prompt=ASKED, question=question, domain="search", source=Source(generator="riddle"))


class Riddle(Spec):
    """Asks where a line ends."""

    boxes: ClassVar[bool] = False
    asks: ClassVar[bool] = False

    count: int = 1
    corpus: Annotated[CorpusSpec, Component("corpus")]

    @asynccontextmanager
    async def open(self, host: SandboxHost) -> AsyncIterator[Made]:
        corpus = stock(self.corpus)
        yield Made(corpus.name, len(corpus) - 1)
