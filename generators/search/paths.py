"""Finds ways through a corpus, and describes the things on them until only the right one fits."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from generators.search.clues import clues
from generators.search.descriptions import Condition, Thing
from generators.search.facts import Fact, FactsIndex, folded, mention
from generators.search.uniqueness import Prover, TooMany

FEW = 6
"""Things that may fit the description of one on the way: the next step decides among them."""
SOME = 60
"""The same, where several ties together decide."""
_HUB = 40
"""A page with so many links to it is mentioned everywhere; a way seldom goes over it."""
_LOOKED_AT = 12
"""Links of a page that are looked at for a way on."""


class Stuck(Exception):
    """No way, or none that singles its things out; `reason` is a word for the funnel."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Step:
    """A way from one page to another."""

    relation: str
    page: int
    inverse: bool
    quote: str


class Walker:
    """Walks one corpus for one question, led by the question's own random numbers."""

    def __init__(self, index: FactsIndex, prover: Prover, rng: random.Random) -> None:
        self.index, self._prover, self.rng = index, prover, rng

    def thing(self, page: int) -> Thing:
        """A page as a thing, with nothing said of it yet. Raises Stuck."""
        kinds = self.index.kinds(page)
        name = self.index.name(page)
        if len(self.index.named([folded(name)])) > 1:
            raise Stuck("no_kind", f"{name} is the name of several pages")
        if not kinds or not 1 < len(name) <= 60 or not any(letter.isalpha() for letter in name):
            raise Stuck("no_kind", f"page {page}")
        return Thing(page, self.index.corpus.url(page), name, kinds[-1], kinds[0])

    def chain(
        self,
        page: int,
        length: int,
        *,
        seen: frozenset[int] = frozenset(),
        asked: Fact | None = None,
        most: int = 1,
    ) -> Thing:
        """A thing described by a way of `length` things that ends at it: it alone, if any, fits. `asked`: what must not
        be said. Raises Stuck."""
        thing = self.thing(page)
        if length > 1:
            thing = replace(thing, conditions=(self._tie(thing, length, seen | {page}),))
        return self.narrow(thing, most, asked)

    def crossing(self, page: int, branches: int, asked: Fact | None = None) -> Thing:
        """A thing that several others lead to. Raises Stuck."""
        thing = self.thing(page)
        seen = frozenset((page,))
        ties: list[Condition] = []
        for _ in range(branches):
            tie = self._tie(thing, 2, seen, SOME)
            assert tie.other is not None
            seen |= {tie.other.page}
            ties.append(tie)
        return self.narrow(replace(thing, conditions=tuple(ties)), 1, asked)

    def narrow(self, thing: Thing, most: int, asked: Fact | None) -> Thing:
        """Say more of a thing, as little as will do, until no more than `most` fit. Raises Stuck."""
        tied = any(condition.other is not None for condition in thing.conditions)
        fits = self.fits(thing) if tied else None
        bare = not tied or most > 1
        spare = 2 if tied and most > 1 else 3
        for clue in clues(self.index, thing.page, self.rng, telling=not tied, asked=asked):
            enough = fits is not None and len(fits) <= most
            if spare == 0 or (enough and (not bare or clue.relation == "initial")):
                break
            longer = replace(thing, conditions=(*thing.conditions, clue))
            found = self.fits(longer)
            if bare or found is None or fits is None or len(found) < len(fits):
                thing, fits, spare, bare = longer, found, spare - 1, False
        if fits is None or len(fits) > most:
            raise Stuck("not_unique", f"{thing.name}: {'many' if fits is None else len(fits)} fit")
        if thing.page not in fits:
            raise Stuck("not_supported", f"{thing.name} does not fit its own description")
        return thing

    def fits(self, thing: Thing) -> frozenset[int] | None:
        """Pages of all things that a description could mean; None: too many to say."""
        try:
            return self._prover.fitting(thing)
        except TooMany:
            return None

    def _tie(self, thing: Thing, length: int, seen: frozenset[int], most: int = FEW) -> Condition:
        """A condition that ties a thing to another one, described by the rest of the way."""
        last: Stuck | None = None
        for step in self._steps(thing, seen):
            try:
                other = self.chain(step.page, length - 1, seen=seen, most=most)
            except Stuck as stuck:
                last = stuck
                continue
            return Condition(step.relation, other=other, inverse=step.inverse, quote=step.quote)
        raise last or Stuck("no_way", f"nothing leads to {thing.name}")

    def _steps(self, thing: Thing, seen: frozenset[int]) -> Iterator[Step]:
        """Ways to other pages, four at most, those that say more than a mention first more often."""
        ways: list[Step] = []
        for fact in self.index.facts(thing.page):
            if fact.target is not None:
                ways.append(Step(fact.relation, fact.target, False, fact.quote))
        saying = self.index.saying(thing.page)
        for page, fact in self.rng.sample(saying, min(len(saying), _LOOKED_AT)):
            ways.append(Step(fact.relation, page, True, fact.quote))
        self.rng.shuffle(ways)
        told = {way.page for way in ways}
        mentions = [way for way in self._mentions(thing) if way.page not in told]
        merged = [*ways[:2], *mentions, *ways[2:]] if self.rng.random() < 0.9 else [*mentions[:3], *ways, *mentions[3:]]
        tried = 0
        for way in merged:
            if way.page in seen or tried == 4 or not self._fair(thing, way.page):
                continue
            if way.relation == "mention" and not way.quote:
                way = replace(way, quote=self._quote(thing, way))
                if not way.quote:
                    continue
            tried += 1
            yield way

    def _mentions(self, thing: Thing) -> list[Step]:
        corpus = self.index.corpus
        out, back = self._some(corpus.links(thing.page)), self._some(corpus.linked_from(thing.page))
        ways = [Step("mention", page, False, "") for page in out] + [Step("mention", page, True, "") for page in back]
        self.rng.shuffle(ways)
        return [way for way in ways if self.rng.random() < 0.1 or len(corpus.linked_from(way.page)) < _HUB]

    def _some(self, pages: Sequence[int]) -> list[int]:
        return [pages[place] for place in self.rng.sample(range(len(pages)), min(len(pages), _LOOKED_AT))]

    def _quote(self, thing: Thing, way: Step) -> str:
        """The sentence in which one page mentions the other; empty: it only links to it."""
        teller, told = (way.page, thing.page) if way.inverse else (thing.page, way.page)
        return mention(self.index.corpus.page(teller), self.index.name(told))

    def _fair(self, thing: Thing, page: int) -> bool:
        """Whether a page can be a thing whose name does not give the other's away."""
        if not self.index.kinds(page):
            return False
        one, other = f" {folded(thing.name)} ", f" {folded(self.index.name(page))} "
        return one not in other and other not in one
