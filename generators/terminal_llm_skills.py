"""Terminal tasks that a model composes from primitive skills of a domain."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from datafactory.errors import DataError
from datafactory.protocols import Chat, Slot
from datafactory.spec import Spec
from datafactory.types import DOMAINS, Draft, Reject, Source
from generators.authored_rules import Rules
from generators.authoring import Order, author
from generators.prompts import render
from generators.skill_axes import read_axes


class TerminalLLMSkills(Spec):
    """Skill-based task construction (arXiv 2602.21193, section 3.2): 3 to 5 primitive skills in one new task.

    Domains take turns, so that they are even; everything else is drawn anew for every try: skills, setting, language,
    size, style and a twist (axes as in TMAX). Reasons for rejection are listed in docs/generators.md.
    """

    use_name = "terminal_llm_skills"
    asks: ClassVar[bool] = True

    count: int = Field(default=100, ge=1)
    """How many tasks."""
    domains: tuple[str, ...] = DOMAINS
    """Which of the domains take turns."""
    fewest: int = Field(default=3, ge=1)
    """Skills in a task, at least."""
    most: int = Field(default=5, ge=1)
    """Skills in a task, at most."""
    image: str = "base"
    """What the boxes are opened from; `domain`: the image of the task's domain."""
    axes: Path | None = None
    """A YAML file of your own, in the form of `generators/skill_axes.yaml`; left out: that one."""
    max_bytes: int = Field(default=262_144, gt=0)
    """Of all input files of a task together."""

    @model_validator(mode="after")
    def _domains_known(self) -> Self:
        try:
            known = read_axes(self.axes).domains
        except DataError as error:
            raise ValueError(f"axes: {error}") from error
        unknown = [name for name in self.domains if name not in known]
        if unknown or not self.domains:
            raise ValueError(f"domains: {', '.join(unknown) or 'none'}; known are {', '.join(known)}")
        if self.fewest > self.most:
            raise ValueError(f"fewest: {self.fewest} is more than most ({self.most})")
        poor = [name for name in self.domains if sum(map(len, known[name].skills.values())) < self.most]
        if poor:
            raise ValueError(f"most: {', '.join(poor)} have fewer than {self.most} skills")
        return self

    def describe(self) -> dict[str, Any]:
        """The recipe, with the axes themselves: changed axes are another recipe."""
        return {**super().describe(), "axes": read_axes(self.axes).model_dump(mode="json")}

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """One task. Raises TeacherError."""
        axes = read_axes(self.axes)
        domain = self.domains[slot.index % len(self.domains)]
        draw = axes.draw(domain, slot.rng(), fewest=self.fewest, most=self.most)
        image = domain if self.image == "domain" else self.image
        prompt = render(
            "skills_task",
            domain=domain,
            guidance=axes.domains[domain].guidance,
            limit=self.max_bytes,
            tools=axes.tools(image),
            packages=axes.packages(image),
            **draw.model_dump(exclude={"size"}),
        )
        source = Source(generator=self.use_name, facts={"axes": draw.model_dump(mode="json", exclude={"skills"})})
        rules = Rules(self.max_bytes, axes.packages(image))
        return await author(chat, slot, Order(prompt, source, domain, image, rules, draw.skills))
