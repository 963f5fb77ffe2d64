"""Composes a chain of skills over a fixture: depth first, with a way back where a skill does not fit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from generators.terminal_skills.bench import Bench
from generators.terminal_skills.fixtures import FIXTURES
from generators.terminal_skills.skill import Artefact, Move, Skill, Stock, Unfit
from generators.terminal_skills.skills import SKILLS
from generators.terminal_skills.taxonomy import DOMAINS_OF, FINISHING, TAXONOMY

DEAD_ENDS = ("solution", "mapping", "estimates", "rough", "records", "modes")
"""Kinds that only finishing skills take."""
BRANCHES = 0.15
"""Share of moves after which a chain goes on from what the skill took, not from what it gave."""
RETURNS = 0.55
"""The same where something peculiar to a domain (a log, a source tree) became something general."""
GENERAL = ("table", "lines")
"""Kinds that most domains know."""
PATIENCE = 60
"""Moves tried over one fixture before it is given up."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A fixture and the moves over it, in order."""

    bench: Bench
    fixture: str
    stock: Stock
    links: tuple[tuple[Skill, Move], ...]

    @property
    def skills(self) -> tuple[str, ...]:
        return tuple(skill.name for skill, _ in self.links)


class Composer:
    """Makes one chain of a domain; `allowed` says which skills may occur and `accepts` which combinations."""

    def __init__(
        self,
        bench: Bench,
        domain: str,
        length: int,
        *,
        allowed: Callable[[str], bool],
        accepts: Callable[[Collection[str]], bool],
    ) -> None:
        self._bench, self._length, self._accepts = bench, length, accepts
        self._domain = TAXONOMY[domain]
        names = dict.fromkeys((*self._domain.home, *self._domain.shared))
        self._skills = [SKILLS[name] for name in names if allowed(name)]
        self._patience = PATIENCE

    def compose(self) -> Chain | None:
        """A chain, or None where none was found over the fixture drawn."""
        name = self._bench.pick(self._domain.fixtures)
        stock = FIXTURES[name].make(self._bench)
        links = self._extend([], stock.artefact)
        return Chain(self._bench, name, stock, tuple(links)) if links is not None else None

    def _extend(self, links: list[tuple[Skill, Move]], item: Artefact) -> list[tuple[Skill, Move]] | None:
        names = [skill.name for skill, _ in links]
        if 2 * (sum(n in self._domain.home for n in names) + self._length - len(names)) < self._length:
            return None
        if len(links) == self._length:
            return links if self._accepts(names) else None
        for skill in self._candidates(names, item):
            if self._patience <= 0:
                return None
            self._patience -= 1
            try:
                move = skill.make(self._bench, item)
            except Unfit:
                continue
            before = len(self._bench.products)
            self._bench.products.extend(move.products)
            for onward in self._onward(skill, item, move.products[0]):
                if found := self._extend([*links, (skill, move)], onward):
                    return found
            del self._bench.products[before:]
        return None

    def _onward(self, skill: Skill, item: Artefact, product: Artefact) -> list[Artefact]:
        """What the next skill may take: the product; or, at times and after a dead end, what this skill took."""
        narrowed = product.kind in GENERAL and item.kind not in GENERAL
        share = 0.7 if product.kind in DEAD_ENDS else RETURNS if narrowed else BRANCHES
        if skill.name in FINISHING or product.path == item.path or not self._bench.chance(share):
            return [product]
        return [item, product]

    def _candidates(self, used: list[str], item: Artefact) -> Iterator[Skill]:
        """Skills for the next place in random order, those of few domains sooner; finishing ones at the end."""
        left = self._length - len(used)
        finished = bool(used) and used[-1] in FINISHING
        proper = [s for s in self._skills if s.takes == item.kind and s.name not in used and not finished]
        closing = (
            [s for s in self._skills if s.takes == "any" and s.name not in used] if left <= 2 and len(used) > 1 else []
        )
        proper.sort(key=lambda s: self._bench.rng.random() ** DOMAINS_OF[s.name], reverse=True)
        self._bench.rng.shuffle(closing)
        return iter([*closing, *proper] if self._bench.chance(0.25) else [*proper, *closing])
