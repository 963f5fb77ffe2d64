"""The generator `swe_llm_bugs`: bugs that a teacher writes into real repositories, each proved by their tests."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar, Literal

from pydantic import Field

from datafactory.errors import ConfigError
from datafactory.protocols import Chat, Episode, Maker, SandboxHost, Slot
from datafactory.types import Draft, Reject
from generators.swe.making import SWESpec, make_task, unfit_told
from generators.swe.repositories import Ready, Unfit, open_repositories
from generators.swe.rewriting.rewrites import How, rewrite
from generators.swe.rewriting.targets import Target, find_targets


class SWELLMBugs(SWESpec):
    """Repositories with a bug that a teacher wrote (SWE-smith's LM modify and LM rewrite), and the issue."""

    use_name: ClassVar[str] = "swe_llm_bugs"

    how: Literal["modify", "rewrite", "both"] = "both"
    """`modify`: the teacher makes a mistake in a function or class; `rewrite`: it writes a function whose body it does
    not see, and what its tests then fail is the bug. Most of what is rewritten is right, and gives no task."""
    share: float = Field(default=0.5, gt=0, lt=1)
    """Of `both`: share of tries that modify."""
    least_lines: int = Field(default=3, ge=1)
    """Lines of code in a body, at least; the signature, docstring, comments and blank lines do not count."""
    most_lines: int = Field(default=120, ge=1)
    """Lines of code in a body, at most."""
    per_function: int = Field(default=3, ge=1)
    """How often the same function is asked about in the same way, once all have had their turn."""

    @property
    def asks(self) -> bool:
        """Always: a teacher writes the bugs."""
        return True

    def problems(self) -> Iterable[str]:
        """Repositories that are not taken; sizes that nothing has."""
        yield from super().problems()
        if self.least_lines > self.most_lines:
            yield f"least_lines: {self.least_lines} is more than most_lines ({self.most_lines})"

    def open(self, host: SandboxHost) -> AbstractAsyncContextManager[Maker]:
        """Fetch and set up the repositories, which takes minutes the first time."""
        return self._open(host)

    @asynccontextmanager
    async def _open(self, host: SandboxHost) -> AsyncIterator[Maker]:
        async with open_repositories(host, self.repos, boxes=self.boxes) as (ready, unfit):
            yield _Rewriter(self, [await asyncio.to_thread(_place, self, each) for each in ready], unfit)


class _Place:
    """A repository, and whom to ask about what there."""

    def __init__(self, ready: Ready, targets: list[Target]) -> None:
        self.ready = ready
        self.asked: dict[How, list[Target]] = {
            "modify": targets,
            "rewrite": [target for target in targets if not target.is_class],
        }
        self.made: dict[str, tuple[int, int]] = {}
        """Ids of the bugs that this run has seen, and at which slot and try: a teacher makes the same mistake twice."""


def _place(spec: SWELLMBugs, ready: Ready) -> _Place:
    found = find_targets(
        ready.checkout.files, ready.environment, least=spec.least_lines, most=spec.most_lines, seed=spec.seed
    )
    return _Place(ready, found)


def turn(how: Literal["modify", "rewrite", "both"], share: float, number: int) -> tuple[How, int]:
    """How bug `number` is made, and which one of that kind it is, both from 0: of every beginning, `share` modify."""
    if how != "both":
        return how, number
    before, after = math.floor(number * share), math.floor((number + 1) * share)
    return ("modify", before) if after > before else ("rewrite", number - before)


class _Rewriter:
    """Makes the tasks of one run."""

    def __init__(self, spec: SWELLMBugs, places: list[_Place], unfit: list[Unfit]) -> None:
        self._spec = spec
        self._places = places
        self._unfit = unfit

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """One task. Raises TeacherError, SandboxError."""
        if told := unfit_told(self._unfit, slot, others=bool(self._places)):
            return told
        if chat is None:
            raise ConfigError(f"{self._spec.use_name} asks a model: name one under 'teacher:'")
        place = self._places[slot.index % len(self._places)]
        share = math.ceil(self._spec.count / len(self._places))
        number = slot.index // len(self._places) + slot.retry * share
        how, which = turn(self._spec.how, self._spec.share, number)
        targets = place.asked[how]
        if which >= len(targets) * self._spec.per_function:
            return self._no_more(place, how, slot)
        return await self._made(place, how, targets[which % len(targets)], slot, chat)

    def _no_more(self, place: _Place, how: How, slot: Slot) -> Reject:
        name, count = place.ready.environment.name, len(place.asked[how])
        times = self._spec.per_function
        detail = f"{name} has {count} places to {how} that its tests run, each asked about {times} times"
        return Reject(reason="no_more_bugs", detail=detail, final=self._spec.how != "both")

    async def _made(self, place: _Place, how: How, target: Target, slot: Slot, chat: Chat) -> Draft | Reject:
        ready = place.ready
        broken = await rewrite(
            chat,
            how,
            target,
            ready.checkout.files[target.path].data,
            ready.environment.name,
            draw=slot.rng().randrange(1 << 16),
            episode=Episode(f"{self._spec.use_name}-{slot.index:05d}#{slot.retry}", slot.seed),
        )
        if isinstance(broken, Reject):
            return broken
        here = (slot.index, slot.retry)
        if place.made.setdefault(broken.bug.id, here) != here:
            return Reject(reason="same_bug", detail="the teacher has written it before", what=broken.facts)
        task = await make_task(self._spec, slot, chat, ready, broken.bug, broken.files, more={"teacher": broken.facts})
        if isinstance(task, Reject):
            return task.but(what={**(task.what or {}), "teacher": broken.facts})
        return task.but(source=task.source.but(model=broken.reply.model))
