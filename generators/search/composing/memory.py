"""What is known about a question while it is made: ASearcher's memory of the synthesis agent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from datafactory.types import Edit, Hop, Question


@dataclass(frozen=True, slots=True)
class Read:
    """A page that has been read."""

    url: str
    title: str
    summary: str
    points: tuple[str, ...]
    links: tuple[int, ...]
    """Numbers of the pages that it links to."""
    statement: str = ""
    """The fact that it gave to the question."""
    finds: str = ""
    """What that fact is the answer of."""


@dataclass(frozen=True, slots=True)
class Memory:
    """One accepted question, and how it came to be; a new one is made for each change that passes all checks."""

    question: str
    answer: str
    pages: tuple[Read, ...]
    history: tuple[Edit, ...] = ()
    used: frozenset[int] = field(default_factory=frozenset)
    """Numbers of the pages that were tried, whether they were taken or not."""

    hidden: frozenset[str] = frozenset()
    """Names that are described instead."""

    @property
    def statements(self) -> tuple[str, ...]:
        """The facts that answer it, in the order in which they came in."""
        return tuple(page.statement for page in self.pages)

    @property
    def correct(self) -> int:
        """How many closed-book answers were right when it was accepted."""
        return (self.history[-1].correct or 0) if self.history else 0

    def record(self, corpus: str, relevant: list[dict[str, Any]], facts: dict[str, Any]) -> Question:
        """As a question; a searcher meets the pages the other way round, the root's page last."""
        hops = tuple(
            Hop(url=page.url, statement=page.statement, finds=page.finds, queries=_queries(page))
            for page in reversed(self.pages)
        )
        return Question(
            corpus=corpus,
            text=self.question,
            answers=(self.answer,),
            plain=self.history[0].question,
            hops=hops,
            history=self.history,
            facts={**facts, "relevant": relevant},
        )


def _queries(page: Read) -> tuple[str, ...]:
    """What one could search for to find a page: what its fact says without its name, and its name at last."""
    said = page.statement
    for word in filter(None, (page.finds, page.title)):
        said = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", " ", said)
    return tuple(dict.fromkeys(query for query in (" ".join(said.split()), page.statement, page.title) if query))
