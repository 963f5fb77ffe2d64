"""The generator `search_paths`: multi-hop questions from the links and facts of a corpus, made without a model."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from datafactory.corpora import Corpus, CorpusSpec, stock
from datafactory.errors import GeneratorError, boundary
from datafactory.protocols import Chat, Maker, SandboxHost, Slot
from datafactory.spec import Component, Spec
from datafactory.types import Draft, Question, Reject, Source
from generators.search.facts import FactsIndex, open_facts
from generators.search.paths import Stuck, Walker
from generators.search.patterns import Plan, falsified, plan
from generators.search.questions import question
from generators.search.roots import Roots
from generators.search.uniqueness import Prover

_ROOTS = 3
"""Things or facts that are asked about in turn before the slot's try is given up; no two slots share one."""
_ROUNDS = 8
"""How often a slot goes through its things and facts; what failed at first may be reached by another way."""
_TRIES = 16
"""Ways that are tried to one root before the next root."""
_SHORTER = 5
"""After so many, ways with a page less are tried."""


class SearchPaths(Spec):
    """Questions whose answer is reached over two to five pages of a corpus (WebSailor's obfuscation of sampled paths,
    arXiv 2507.02592, without its model). Each is proved: a search of all pages finds one thing that could fit, or none
    where it has no answer. Reasons of rejects are listed in docs/search-paths.md.
    """

    use_name: ClassVar[str] = "search_paths"
    asks: ClassVar[bool] = False
    boxes: ClassVar[bool] = False

    corpus: Annotated[CorpusSpec, Component("corpus")]
    """Which pages the questions are about."""
    count: int = Field(ge=1)
    """How many questions to make."""
    hops: tuple[int, int] = (2, 5)
    """Fewest and most pages on the way to the answer."""
    unanswerable: float = Field(default=0.1, ge=0, le=1)
    """Share of questions that no page answers."""
    called: str = Field(default="", max_length=30)
    """What a page is called in questions: `entry`, `article`; left out: `entry` in a dictionary, else `page`."""
    license: str = ""
    """Of the corpus; kept with every question."""
    seed: int = 0
    """Another one takes what may be asked in another order."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        low, high = self.hops
        if not 2 <= low <= high <= 5:
            raise ValueError("hops: two numbers from 2 to 5, the smaller first")
        return self

    def problems(self) -> Iterable[str]:
        """What is wrong with the corpus."""
        yield from (f"corpus.{problem}" for problem in self.corpus.problems())

    def inputs(self) -> Iterable[Path]:
        """The files of the corpus."""
        return self.corpus.inputs()

    def open(self, host: SandboxHost) -> AbstractAsyncContextManager[Maker]:
        """Store the corpus and cut its facts, which takes a while the first time."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Maker]:
        corpus = await asyncio.to_thread(stock, self.corpus)
        index = await asyncio.to_thread(open_facts, corpus)
        yield _Paths(self, corpus, index)

    @property
    def book(self) -> str:
        """What a page is called."""
        return self.called or ("entry" if self.corpus.use_name == "dict" else "page")


class _Paths:
    """Makes the questions of one run."""

    def __init__(self, spec: SearchPaths, corpus: Corpus, index: FactsIndex) -> None:
        self._spec, self._corpus, self._index = spec, corpus, index
        self._prover = Prover(index)
        self._roots = Roots(index, spec.seed)

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """One question."""
        own = range(slot.index, len(self._roots), self._spec.count)
        if slot.retry * _ROOTS >= _ROUNDS * len(own):
            detail = f"{self._corpus.name} has {len(self._roots)} things and facts that may be asked for"
            return Reject(reason="no_more_facts", detail=detail, final=True)
        made: Draft | Reject = Reject(reason="no_way")
        for turn in range(_ROOTS):
            number = own[(slot.retry * _ROOTS + turn) % len(own)]
            rng = random.Random(f"{slot.seed} {turn}")
            with boundary(GeneratorError, f"making a question from {self._corpus.name}"):
                made = await asyncio.to_thread(self._try, number, rng)
            if isinstance(made, Draft):
                break
        return made

    def _try(self, number: int, rng: random.Random) -> Draft | Reject:
        page, asked = self._roots.take(number)
        stuck = Stuck("no_way")
        none = rng.random() < self._spec.unanswerable
        length = rng.choices(range(2, 6), (30, 35, 22, 13))[0]
        length = min(max(length, self._spec.hops[0]), self._spec.hops[1])
        for attempt in range(_TRIES):
            walker = Walker(self._index, self._prover, rng)
            try:
                made = plan(walker, page, asked, max(self._spec.hops[0], length - attempt // _SHORTER))
                if none and made.pattern != "comparison":
                    made = falsified(made, self._index, self._prover, rng)
                return self._draft(made, question(made, self._index, self._spec.book, rng))
            except Stuck as again:
                stuck = again
        return Reject(reason=stuck.reason, detail=stuck.detail)

    def _draft(self, made: Plan, asked: Question) -> Draft:
        things = made.things
        skills = [made.pattern, *(c.relation for thing in things for c in thing.conditions if c.other is not None)]
        skills += [f"asks_{made.asked.relation if made.asked else 'title'}"]
        hard: Literal["easy", "medium", "hard"] = "easy" if len(things) < 3 else "medium" if len(things) < 4 else "hard"
        source = Source(
            generator=self._spec.use_name,
            item=things[-1].url,
            license=self._spec.license,
            facts={"hops": len(things), "pattern": made.pattern, "answerable": made.false is None},
        )
        return Draft(
            prompt=asked.text,
            question=asked,
            domain="search",
            skills=tuple(dict.fromkeys(skills)),
            difficulty=hard,
            source=source,
        )
