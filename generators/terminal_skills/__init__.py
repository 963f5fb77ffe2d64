"""Terminal tasks by composition of primitive skills, without a model (after the skill taxonomy of arXiv 2602.21193)."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from datafactory.protocols import Chat, Slot
from datafactory.spec import Spec
from datafactory.types import DOMAINS, Check, Draft, Reject, Source, Step, digest_of
from generators.terminal_skills.bench import Bench
from generators.terminal_skills.compose import Chain, Composer
from generators.terminal_skills.judging import check, judge_of
from generators.terminal_skills.prose import instruction
from generators.terminal_skills.skills import SKILLS

__all__ = ["SKILLS", "TerminalSkills"]

TRIES = 40
"""Fixtures tried for one draft before the slot is given back as a reject."""
EASY, HARD = 5.0, 7.0
"""Sums of skill weights below which a task is easy, and from which on it is hard."""


class TerminalSkills(Spec):
    """Composes 3 to 5 primitive skills into a terminal task with data, weighted checks and a solution."""

    use_name: ClassVar[str] = "terminal_skills"
    asks: ClassVar[bool] = False

    count: int = Field(default=100, ge=1)
    """How many tasks to make."""
    domains: tuple[str, ...] = DOMAINS
    """Domains to draw from, in turn, so that each gets the same share."""
    skills_min: int = Field(default=3, ge=1, le=8)
    """Fewest skills in a task."""
    skills_max: int = Field(default=5, ge=1, le=8)
    """Most skills in a task."""
    only: tuple[str, ...] = ()
    """Skills that may occur; empty: all of them."""
    without: tuple[str, ...] = ()
    """Skills that never occur."""
    without_together: tuple[tuple[str, ...], ...] = ()
    """Combinations of skills that never occur in one task."""
    held_out: float = Field(default=0.0, ge=0, le=1)
    """Share of all skill combinations that is held out, chosen by the combination's digest."""
    split: Literal["all", "train", "held_out"] = "all"
    """Which combinations to use: all, those that are not held out, or only those that are."""

    @field_validator("domains")
    @classmethod
    def _known_domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or (unknown := [d for d in value if d not in DOMAINS]):
            raise ValueError(f"unknown domains {unknown}" if value else "name at least one domain")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = {*self.only, *self.without, *(name for group in self.without_together for name in group)}
        if unknown := sorted(named - set(SKILLS)):
            raise ValueError(f"unknown skills {unknown}")
        if self.skills_min > self.skills_max:
            raise ValueError("skills_min exceeds skills_max")
        if self.split == "held_out" and not self.held_out:
            raise ValueError("split is 'held_out', but held_out is 0")
        return self

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """One draft; the same slot always gives the same. No model is asked."""
        return self.draft(slot)

    def draft(self, slot: Slot) -> Draft | Reject:
        """`make` without waiting."""
        rng, domain = slot.rng(), self.domains[slot.index % len(self.domains)]
        length = rng.randint(self.skills_min, self.skills_max)
        for tried in range(TRIES):
            if tried > TRIES // 2:
                length = rng.randint(self.skills_min, self.skills_max)
            composer = Composer(Bench(rng), domain, length, allowed=self._allows, accepts=self._accepts)
            if chain := composer.compose():
                return self._written(chain, domain)
        return Reject(reason="no_chain", detail=f"no chain of {domain} within these limits", generator=self.use_name)

    def _allows(self, skill: str) -> bool:
        return skill not in self.without and (not self.only or skill in self.only)

    def _accepts(self, skills: Collection[str]) -> bool:
        if any(set(group) <= set(skills) for group in self.without_together):
            return False
        if self.split == "all":
            return True
        held = int(digest_of(sorted(skills)), 16) / 16**16 < self.held_out
        return held == (self.split == "held_out")

    def _written(self, chain: Chain, domain: str) -> Draft:
        prompt, layout = instruction(chain)
        files = dict(chain.stock.files)
        for _, move in chain.links:
            files |= move.files
        weight = sum(skill.weight for skill, _ in chain.links)
        facts = {
            "fixture": chain.fixture,
            "layout": layout,
            "theme": chain.bench.theme["files"][0],
            "combination": "+".join(sorted(chain.skills)),
            "weight": weight,
        }
        return Draft(
            prompt=prompt,
            files=files,
            checks=_checks(chain),
            solution=_solution(chain),
            skills=chain.skills,
            domain=domain,
            difficulty="easy" if weight < EASY else "medium" if weight < HARD else "hard",
            source=Source(generator=self.use_name, item=chain.fixture, license="Apache-2.0", facts=facts),
        )


def _checks(chain: Chain) -> tuple[Check, ...]:
    """One check per product and per further judge; a skill's weight is shared among its own."""
    made = []
    for number, (skill, move) in enumerate(chain.links, 1):
        judges = [judge_of(p) for p in move.products if p.judged] + list(move.judges)
        for at, judge in enumerate(judges):
            name = f"{number}_{skill.name}" + (f"_{at + 1}" if at else "")
            made.append(check(name, judge, skill.weight / len(judges)))
    return tuple(made)


def _solution(chain: Chain) -> tuple[Step, ...]:
    start = Step(
        thought="Make the folder for the results.",
        command=f"mkdir -p {chain.bench.outbox}",
    )
    return (start, *(step for _, move in chain.links for step in move.steps))
