"""The generator `search_agent`: a teacher composes multi-hop questions over the pages of a corpus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from datafactory.corpora import Corpus, CorpusSpec, stock
from datafactory.protocols import Chat, Maker, SandboxHost, Slot
from datafactory.spec import Component, Spec
from datafactory.types import Draft, Reject, Source
from generators.search.composing.asking import Desk
from generators.search.composing.memory import Memory, Read
from generators.search.composing.working import Composer, Rules


class SearchAgent(Spec):
    """ASearcher's synthesis agent (arXiv 2508.07976, section 3): a question from one page, then up to 16 turns in which
    the teacher blurs a piece of it or describes a page by what a linked page says, until the question cannot be
    answered by heart. Each change must pass all checks, or is discarded. Reasons of rejects are listed in
    docs/search-agent-synthesis.md.
    """

    use_name: ClassVar[str] = "search_agent"
    asks: ClassVar[bool] = True
    boxes: ClassVar[bool] = False

    corpus: Annotated[CorpusSpec, Component("corpus")]
    """Which pages the questions are about."""
    count: int = Field(ge=1)
    """How many questions to make."""
    turns: int = Field(default=16, ge=1, le=100)
    """Changes that are tried, at most."""
    samples: int = Field(default=8, ge=1, le=64)
    """Answers by heart that are asked for, of each candidate."""
    accept: int = Field(default=0, ge=0)
    """How many of those may be right in a question that is finished."""
    pages: int = Field(default=2, ge=1)
    """Pages that a finished question needs, at least."""
    fewest: int = Field(default=300, ge=1)
    """Characters that a page must have to be asked about."""
    most: int = Field(default=12_000, ge=500)
    """Characters of a page that the teacher reads; what lies beyond is not asked about."""
    license: str = ""
    """Of the corpus; kept with every question."""

    @model_validator(mode="after")
    def _acceptable(self) -> Self:
        if self.accept > self.samples:
            raise ValueError(f"accept: {self.accept} is more than samples ({self.samples})")
        return self

    def problems(self) -> Iterable[str]:
        """What is wrong with the corpus."""
        yield from (f"corpus.{problem}" for problem in self.corpus.problems())

    def inputs(self) -> Iterable[Path]:
        """The files of the corpus."""
        return self.corpus.inputs()

    def open(self, host: SandboxHost) -> AbstractAsyncContextManager[Maker]:
        """Store the corpus, which takes a while the first time."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Maker]:
        yield _Questions(self, await asyncio.to_thread(stock, self.corpus))


class _Questions:
    """Makes the questions of one run."""

    def __init__(self, spec: SearchAgent, corpus: Corpus) -> None:
        self._spec, self._corpus = spec, corpus

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """One question. Raises TeacherError."""
        spec = self._spec
        desk = Desk.of(spec.use_name, slot, chat)
        rules = Rules(spec.turns, spec.samples, spec.accept, spec.pages, spec.fewest, spec.most)
        composer = Composer(desk, self._corpus, slot.rng(), rules)
        made = await composer.compose()
        return made if isinstance(made, Reject) else self._draft(made, desk, composer)

    def _draft(self, made: Memory, desk: Desk, composer: Composer) -> Draft:
        discarded = dict(composer.discarded)
        asked = made.record(self._corpus.name, [self._relevant(page) for page in made.pages], {"discarded": discarded})
        level: Literal["medium", "hard"] = "medium" if len(made.pages) < 3 else "hard"
        source = Source(
            generator=self._spec.use_name,
            item=made.pages[0].url,
            license=self._spec.license,
            model=desk.model,
            facts={"hops": len(made.pages), "tokens": desk.usage.model_dump(), "closed_book": made.correct},
        )
        skills = tuple(dict.fromkeys(edit.action for edit in made.history))
        return Draft(prompt=asked.text, question=asked, domain="search", skills=skills, difficulty=level, source=source)

    def _relevant(self, page: Read) -> dict[str, Any]:
        """A page as ASearcher's rows have it."""
        return {
            "name": page.title,
            "url": page.url,
            "summary": page.summary,
            "information_points": list(page.points),
            "relevant_links": [self._corpus.url(number) for number in page.links[:50]],
        }
