"""Questions about a corpus: what is asked, what counts as answered, and the pages on the way there."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from datafactory.types.record import Record

UNANSWERABLE = "unanswerable"
"""What an agent answers where it holds that the corpus has no answer."""


class Hop(Record):
    """One step on the way to the answer: a page, and what reading it tells."""

    url: str
    statement: str
    """The fact in one declarative sentence, as the page supports it."""
    finds: str = ""
    """The entity, name or value that is known after it; of the last hop, the answer."""
    queries: tuple[str, ...] = ()
    """What a person who knows only the question and the hops before would search for, the best first."""


class Edit(Record):
    """One accepted change of a question, as ASearcher's `qa_history` keeps it (arXiv 2508.07976, section 3)."""

    action: Literal["base", "fuzz", "inject", "embedded"]
    """`base`: the first question from one page; `fuzz`: a piece of information was blurred; `inject`: a linked page's
    question was composed in; `embedded`: no model made it."""
    question: str
    answer: str
    statement: str = ""
    """The fact that it added."""
    url: str = ""
    """The page that it brought in."""
    note: str = ""
    correct: int | None = Field(default=None, ge=0)
    """How many of `samples` closed-book answers were right; None: not asked."""
    samples: int = Field(default=0, ge=0)


class Question(Record):
    """What makes a task a question: it is judged by its answer, and no box is opened for it."""

    corpus: str
    """Name of the corpus that it is asked about: `corpus/<name>-<12 hex>`."""
    text: str = Field(min_length=1)
    """The question."""
    answers: tuple[str, ...] = ()
    """What counts as right, the usual form first (the others are ASearcher's `aug_answer`); empty: the corpus has no
    answer, and saying so is right."""
    plain: str = ""
    """The same question with nothing blurred, where it was known."""
    hops: tuple[Hop, ...] = ()
    """From the page where a searcher begins to the one that gives the answer."""
    history: tuple[Edit, ...] = ()
    """How it came to be; empty where it was taken as it is."""
    facts: dict[str, Any] = {}
    """Whatever else its generator found out: what proved it unique, say (JSON values)."""

    @property
    def evidence(self) -> tuple[str, ...]:
        """Urls of the pages that support the answer, each once."""
        return tuple(dict.fromkeys(hop.url for hop in self.hops))

    @property
    def answer(self) -> str:
        """The usual form of the answer, or `unanswerable`."""
        return self.answers[0] if self.answers else UNANSWERABLE
