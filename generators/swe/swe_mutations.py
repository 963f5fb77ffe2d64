"""The generator `swe_mutations`: procedural bugs in real repositories, each proved by the repository's own tests."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import ClassVar

from pydantic import Field

from datafactory.protocols import Chat, Maker, SandboxHost, Slot
from datafactory.types import Draft, Reject
from generators.swe.candidates import Candidates, find_candidates
from generators.swe.making import SWESpec, make_task, unfit_told
from generators.swe.mutations import NoBug, mistakes
from generators.swe.repositories import Ready, Unfit, open_repositories


class SWEMutations(SWESpec):
    """Repositories with a bug that an operator on the syntax tree made (SWE-smith's procedural bugs), and the issue."""

    use_name: ClassVar[str] = "swe_mutations"

    operators: tuple[str, ...] = ()
    """Which mistakes are made, by name (docs/swe-mutations.md); left out: all."""
    combined: float = Field(default=0.15, ge=0, le=1)
    """Share of bugs with two or three changes, in one file or over the files of a folder."""

    def problems(self) -> Iterable[str]:
        """Repositories that are not taken; names that no operator has."""
        yield from super().problems()
        known = mistakes()
        yield from (
            f"operators: no {name!r}; there are {', '.join(known)}" for name in self.operators if name not in known
        )

    def open(self, host: SandboxHost) -> AbstractAsyncContextManager[Maker]:
        """Fetch and set up the repositories, which takes minutes the first time."""
        return self._open(host)

    @asynccontextmanager
    async def _open(self, host: SandboxHost) -> AsyncIterator[Maker]:
        async with open_repositories(host, self.repos, boxes=self.boxes) as (ready, unfit):
            find = partial(find_candidates, operators=self.operators, combined=self.combined, seed=self.seed)
            found = [await asyncio.to_thread(find, each.checkout.files, each.environment) for each in ready]
            yield _Mutator(self, list(zip(ready, found, strict=True)), unfit)


class _Mutator:
    """Makes the tasks of one run."""

    def __init__(self, spec: SWEMutations, places: list[tuple[Ready, Candidates]], unfit: list[Unfit]) -> None:
        self._spec = spec
        self._places = places
        self._unfit = unfit

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """One task."""
        if told := unfit_told(self._unfit, slot, others=bool(self._places)):
            return told
        ready, candidates = self._places[slot.index % len(self._places)]
        share = math.ceil(self._spec.count / len(self._places))
        try:
            bug, broken = candidates.bug(slot.index // len(self._places) + slot.retry * share)
        except IndexError:
            detail = f"{ready.environment.name} has {len(candidates)} places that its tests run"
            return Reject(reason="no_more_bugs", detail=detail, final=True)
        except NoBug as error:
            return Reject(reason="no_bug", detail=str(error))
        return await make_task(self._spec, slot, chat, ready, bug, broken)
