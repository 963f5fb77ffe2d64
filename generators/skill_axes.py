"""The axes that a task is drawn along: domains with primitive skills, languages, sizes, styles, twists."""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from datafactory.errors import DataError

OWN = Path(__file__).with_name("skill_axes.yaml")


class _Axis(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Domain(_Axis):
    """One domain: its image's tools, what makes a good task of it, and its primitive skills by type."""

    tools: str = ""
    packages: tuple[str, ...] = ()
    guidance: str
    scenarios: tuple[str, ...] = Field(min_length=1)
    skills: dict[str, tuple[str, ...]]


class Size(_Axis):
    """How much work a task is."""

    commands: str
    difficulty: Literal["easy", "medium", "hard"]


class Draw(_Axis):
    """One point on all axes."""

    skills: tuple[str, ...]
    scenario: str
    language: str
    size: str
    commands: str
    style: str
    twist: str


class Axes(_Axis):
    """All of them, as a file holds them."""

    base_tools: str
    base_packages: tuple[str, ...] = ()
    languages: dict[str, float] = Field(min_length=1)
    complexity: dict[str, Size] = Field(min_length=1)
    command_styles: tuple[str, ...] = Field(min_length=1)
    twists: tuple[str, ...] = Field(min_length=1)
    domains: dict[str, Domain] = Field(min_length=1)

    def tools(self, image: str) -> str:
        """What a box opened from `image` has, in words."""
        domain = self.domains.get(image)
        return f"{self.base_tools}, {domain.tools}" if domain and domain.tools else self.base_tools

    def packages(self, image: str) -> tuple[str, ...]:
        """Python packages of `image` beside the standard library."""
        domain = self.domains.get(image)
        return self.base_packages + (domain.packages if domain else ())

    def draw(self, domain: str, rng: random.Random, *, fewest: int, most: int) -> Draw:
        """A task's point: `fewest` to `most` skills, of at least two types where the domain has them."""
        here = self.domains[domain]
        wanted = rng.randint(fewest, most)
        types = rng.sample(sorted(here.skills), k=min(len(here.skills), max(2, wanted - 1)))
        skills = [rng.choice(here.skills[kind]) for kind in types[:wanted]]
        rest = sorted(skill for kind in types for skill in here.skills[kind] if skill not in skills)
        skills += rng.sample(rest, k=min(len(rest), wanted - len(skills)))
        size = rng.choice(sorted(self.complexity))
        return Draw(
            skills=tuple(skills),
            scenario=rng.choice(here.scenarios),
            language=rng.choices(list(self.languages), weights=list(self.languages.values()))[0],
            size=size,
            commands=self.complexity[size].commands,
            style=rng.choice(self.command_styles),
            twist=rng.choice(self.twists),
        )


@lru_cache(maxsize=4)
def read_axes(path: Path | None) -> Axes:
    """The axes in a YAML file; None: our own. Raises DataError."""
    import yaml

    file = path or OWN
    try:
        return Axes.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{file}: {error}") from error
    except ValidationError as error:
        places = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)]
        raise DataError(f"{file}: {'; '.join(places[:5])}") from error
