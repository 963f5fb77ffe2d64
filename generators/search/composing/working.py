"""The synthesis agent: a base question from one page, then blurring and injecting until nobody knows it by heart."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace

from datafactory.answers import exact_match
from datafactory.corpora import Corpus
from datafactory.types import Edit, Reject
from generators.search.composing.answers import Asked, Choice, Composed, Covered, Notes
from generators.search.composing.asking import Desk
from generators.search.composing.checking import Candidate, check
from generators.search.composing.memory import Memory, Read

_DRAWS = 200
"""Pages that are looked at for one that can be asked about."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the agent keeps to; see the keys of `search_agent`."""

    turns: int
    samples: int
    accept: int
    pages: int
    fewest: int
    """Characters of a page, at least."""
    most: int
    """Characters of a page that are shown."""


class Composer:
    """One try at one question."""

    def __init__(self, desk: Desk, corpus: Corpus, rng: random.Random, rules: Rules) -> None:
        self._desk, self._corpus, self._rng, self._rules = desk, corpus, rng, rules
        self.discarded: Counter[str] = Counter()
        """Why candidates did not count, and how often."""
        self.last: Reject | None = None
        """The last of those."""

    async def compose(self) -> Memory | Reject:
        """The last question that was hard enough, or why there is none: `no_root`, the reasons of `check` where the
        first question fails, `too_easy` or `too_few_pages` where the turns are used up. Raises TeacherError."""
        memory = await self._base()
        if isinstance(memory, Reject):
            return memory
        done = memory if self._ready(memory) else None
        for turn in range(1, self._rules.turns + 1):
            choice = await self._desk.ask("search_choose", Choice, (turn,), **self._shown(memory))
            if isinstance(choice, Reject):
                self._discard(choice)
                continue
            if choice.action == "exit" and self._ready(memory):
                return memory
            changed = await self._changed(memory, choice, turn)
            if isinstance(changed, Reject):
                self._discard(changed)
                tried = (changed.what or {}).get("tried")
                memory = replace(memory, used=memory.used | {tried}) if tried is not None else memory
            else:
                memory = changed
                done = memory if self._ready(memory) else done
        return done or self._unready(memory)

    def _ready(self, memory: Memory) -> bool:
        return memory.correct <= self._rules.accept and len(memory.pages) >= self._rules.pages

    def _unready(self, memory: Memory) -> Reject:
        told = ", ".join(f"{reason} {times}" for reason, times in self.discarded.most_common()) or "nothing"
        what = {
            "question": memory.question,
            "answer": memory.answer,
            "history": [e.model_dump() for e in memory.history],
        }
        if memory.correct > self._rules.accept:
            said = f"{memory.correct} of {self._rules.samples} answers by heart are right"
            return Reject(reason="too_easy", detail=f"{said}; discarded: {told}", what=what)
        said = f"{len(memory.pages)} of {self._rules.pages} pages"
        return Reject(reason="too_few_pages", detail=f"{said}; discarded: {told}", what=what)

    def _discard(self, reject: Reject) -> None:
        self.discarded[reject.reason] += 1
        self.last = reject

    def _shown(self, memory: Memory) -> dict[str, object]:
        return {
            "question": memory.question,
            "answer": memory.answer,
            "pages": memory.pages,
            "ready": self._ready(memory),
            "targets": [page.url for page in memory.pages if self._neighbours(memory, page)],
        }

    async def _base(self) -> Memory | Reject:
        number = self._root()
        if number is None:
            said = f"of {_DRAWS} pages none has {self._rules.fewest} characters and a link to another page"
            return Reject(reason="no_root", detail=said)
        page = await self._read(number, 0)
        if isinstance(page, Reject):
            return page
        asked = await self._desk.ask("search_base", Asked, (0,), page=page, text=self._text(number))
        if isinstance(asked, Reject):
            return asked
        page = replace(page, statement=asked.statement, finds=asked.answer)
        candidate = Candidate(asked.question, asked.answer, (asked.statement,))
        correct = await check(self._desk, candidate, 0, samples=self._rules.samples)
        if isinstance(correct, Reject):
            return correct.but(what={"question": asked.question, "answer": asked.answer})
        edit = self._edit("base", asked.question, asked.answer, correct, statement=asked.statement, url=page.url)
        return Memory(asked.question, asked.answer, (page,), (edit,), frozenset((number,)))

    async def _changed(self, memory: Memory, choice: Choice, turn: int) -> Memory | Reject:
        if choice.action == "exit":
            return Reject(reason="not_ready", detail="the teacher would stop, but the question is not ready")
        if choice.action == "inject":
            return await self._injected(memory, choice, turn)
        if not choice.question.strip() or choice.question == memory.question:
            return Reject(reason="unchanged", detail="the rewritten question is the one before")
        candidate = Candidate(choice.question, memory.answer, memory.statements, memory.hidden)
        correct = await check(self._desk, candidate, turn, samples=self._rules.samples)
        if isinstance(correct, Reject):
            return correct
        edit = self._edit("fuzz", choice.question, memory.answer, correct, note=choice.note)
        return replace(memory, question=choice.question, history=(*memory.history, edit))

    async def _injected(self, memory: Memory, choice: Choice, turn: int) -> Memory | Reject:
        """ASearcher's SELECT: a random page next to the target describes the target, whose name goes."""
        target = next((page for page in memory.pages if page.url == choice.target.strip()), None)
        if target is None:
            return Reject(reason="no_such_target", detail=f"{choice.target!r} is none of the question's pages")
        free = self._neighbours(memory, target)
        if not free:
            return Reject(reason="no_links_left", detail=f"all pages that {target.url} links to were tried")
        number = self._rng.choice(free)
        made = await self._linked(memory, target, number, turn, choice.note)
        return made.but(what={"tried": number}) if isinstance(made, Reject) else made

    async def _linked(self, memory: Memory, target: Read, number: int, turn: int, note: str) -> Memory | Reject:
        page = await self._read(number, turn)
        if isinstance(page, Reject):
            return page
        link = await self._desk.ask("search_link", Asked, (turn,), target=target, page=page, text=self._text(number))
        if isinstance(link, Reject):
            return link
        if not exact_match(link.answer, (target.title,)):
            return Reject(reason="link_answer", detail=f"asks for {link.answer!r}, not for {target.title!r}")
        known = await self._desk.ask(
            "search_covered", Covered, (turn,), statement=link.statement, statements=memory.statements
        )
        if isinstance(known, Reject):
            return known
        if known.covered:
            return Reject(reason="nothing_new", detail=f"known before: {link.statement}")
        both = await self._desk.ask(
            "search_compose", Composed, (turn,), first=memory.question, answer=memory.answer, second=link
        )
        if isinstance(both, Reject):
            return both
        if not exact_match(both.answer, (memory.answer,)):
            return Reject(reason="answer_changed", detail=f"{both.answer!r} instead of {memory.answer!r}")
        hidden = memory.hidden if exact_match(target.title, (memory.answer,)) else memory.hidden | {target.title}
        statements = (*memory.statements, link.statement)
        candidate = Candidate(both.question, memory.answer, statements, hidden)
        correct = await check(self._desk, candidate, turn, samples=self._rules.samples)
        if isinstance(correct, Reject):
            return correct
        edit = self._edit(
            "inject", both.question, memory.answer, correct, statement=link.statement, url=page.url, note=note
        )
        page = replace(page, statement=link.statement, finds=target.title)
        return Memory(
            question=both.question,
            answer=memory.answer,
            pages=(*memory.pages, page),
            history=(*memory.history, edit),
            used=memory.used | {number},
            hidden=hidden,
        )

    def _edit(self, action: str, question: str, answer: str, correct: int, **more: str) -> Edit:
        fields = {"action": action, "question": question, "answer": answer, "correct": correct, **more}
        return Edit.model_validate({**fields, "samples": self._rules.samples})

    async def _read(self, number: int, turn: int) -> Read | Reject:
        page = self._corpus.page(number)
        notes = await self._desk.ask("search_notes", Notes, (turn,), title=page.title, text=self._text(number))
        if isinstance(notes, Reject):
            return notes
        links = tuple(int(link) for link in self._corpus.links(number))
        return Read(page.url, page.title, notes.summary, tuple(notes.points), links)

    def _text(self, number: int) -> str:
        return self._corpus.page(number).text[: self._rules.most]

    def _root(self) -> int | None:
        for _ in range(_DRAWS if len(self._corpus) else 0):
            number = self._rng.randrange(len(self._corpus))
            if len(self._corpus.links(number)) and self._long(number):
                return number
        return None

    def _neighbours(self, memory: Memory, page: Read) -> list[int]:
        return [number for number in page.links if number not in memory.used and self._long(number)]

    def _long(self, number: int) -> bool:
        return len(self._corpus.page(number).text) >= self._rules.fewest
