"""Which tasks nobody learns from: a share of all combinations, and a share of the tasks of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from datafactory.types import Draft, HeldOut, digest_of


class HoldOut(BaseModel):
    """How much is held out. Digests decide, so that a combination or a task that is held out in one run is held out in
    every other run of the same shares, whatever its seed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    combinations: float = Field(default=0.0, ge=0, lt=1)
    """Share of all combinations (of skills, of a repository and a kind of bug); all their tasks are held out."""
    tasks: float = Field(default=0.0, ge=0, lt=1)
    """Share of the tasks of all other combinations."""

    def kind(self, draft: Draft, digest: str) -> HeldOut:
        """Whether a draft is held out, and with what. `digest`: of its content."""
        combination = combination_of(draft)
        if combination and _place("combination", combination) < self.combinations:
            return "combination"
        return "task" if _place("task", digest) < self.tasks else ""


def combination_of(draft: Draft) -> str:
    """What makes a draft one of its kind: its generator with its skills, or with the repository and the kind of bug;
    empty: it has neither, as rows of a benchmark."""
    return combination(draft.source.generator, draft.skills, draft.source.facts)


def combination(generator: str, skills: Iterable[str], facts: Mapping[str, Any]) -> str:
    """`combination_of` a task that is read as JSON."""
    kind = generator.partition(".")[0]  # a second one of a kind is called `name.2`
    if "instance_id" in facts and facts.get("repo"):
        return f"{kind}: {facts['repo']}, {facts.get('bug_kind') or 'any bug'}"
    named = " + ".join(sorted(set(skills)))
    return f"{kind}: {named}" if named else ""


def _place(kind: str, what: str) -> float:
    """From 0 to 1, evenly."""
    return float(int(digest_of([kind, what]), 16) / 16**16)
