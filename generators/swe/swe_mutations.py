"""The generator `swe_mutations`: procedural bugs in real repositories, each proved by the repository's own tests."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from datafactory.protocols import Chat, Episode, Maker, SandboxHost, Slot
from datafactory.spec import Spec
from datafactory.types import Draft, Reject
from generators.swe.candidates import Candidates, find_candidates
from generators.swe.checkout_lines import FOLDER
from generators.swe.drafting import in_box, swe_draft
from generators.swe.mutations import Bug, NoBug, mistakes
from generators.swe.repositories import CORES, Ready, Unfit, open_repositories
from generators.swe.sources import Repository
from generators.swe.statements import Failing, ask, failing_of, leak, write
from generators.swe.validation import Valid, validate


class SWEMutations(Spec):
    """Repositories with a bug that an operator on the syntax tree made (SWE-smith's procedural bugs), and the issue."""

    use_name: ClassVar[str] = "swe_mutations"

    count: int = Field(ge=1)
    """How many tasks to make, in equal shares of the repositories that can be set up."""
    repos: tuple[Repository, ...] = Field(min_length=1)
    """Where the code comes from: `toolz==1.1.0` (a package's sdist), `https://host/owner/name@commit`, a folder."""
    operators: tuple[str, ...] = ()
    """Which mistakes are made, by name (docs/swe-mutations.md); left out: all."""
    combined: float = Field(default=0.15, ge=0, le=1)
    """Share of bugs with two or three changes, in one file or over the files of a folder."""
    statement: Literal["embedded", "teacher"] = "embedded"
    """Who writes the issue: `embedded` from the failing behaviour, without a model; or the pipeline's teacher, who also
    sees the bug. Either way one that gives the fix away is not taken."""
    reward: Literal["resolved", "rates"] = "resolved"
    """What an attempt gets: 1 where all tests pass, else 0; or its share of FAIL_TO_PASS times that of PASS_TO_PASS."""
    most_failing: int | None = Field(default=None, ge=1)
    """Most tests that a bug may fail; left out: any number, as long as one still passes."""
    repeats: int = Field(default=3, ge=2, le=10)
    """Runs that must agree about which tests a bug fails."""
    seed: int = 0
    """Another one takes the bugs in another order."""
    boxes: int = Field(default=CORES, ge=1, exclude=True)
    """Boxes in which the tests of one repository are run at a time."""

    @property
    def asks(self) -> bool:
        """Whether the teacher writes the issues."""
        return self.statement == "teacher"

    def problems(self) -> Iterable[str]:
        """Repositories that are not taken; names that no operator has."""
        for number, repository in enumerate(self.repos):
            yield from (f"repos[{number}].{problem}" for problem in repository.problems())
        known = mistakes()
        yield from (
            f"operators: no {name!r}; there are {', '.join(known)}" for name in self.operators if name not in known
        )

    def inputs(self) -> Iterable[Path]:
        """The files of repositories that are folders."""
        for repository in self.repos:
            yield from repository.inputs()

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
        """One task; a repository that could not be set up is told of as the first try at one of the first slots."""
        if not self._places or (slot.retry == 0 and slot.index < len(self._unfit)):
            lost = self._unfit[slot.index % len(self._unfit)]
            final = not self._places
            return Reject(reason=f"unfit_{lost.step}", detail=f"{lost.at}: {lost.detail}", final=final)
        ready, candidates = self._places[slot.index % len(self._places)]
        share = math.ceil(self._spec.count / len(self._places))
        try:
            bug, broken = candidates.bug(slot.index // len(self._places) + slot.retry * share)
        except IndexError:
            detail = f"{ready.environment.name} has {len(candidates)} places that its tests run"
            return Reject(reason="no_more_bugs", detail=detail, final=True)
        except NoBug as error:
            return Reject(reason="no_bug", detail=str(error))
        async with ready.benches.take() as pair:
            changes = {f"{FOLDER}/{path}": data for path, data in broken.items()}
            valid = await validate(pair, ready.environment, bug, changes, repeats=self._spec.repeats)
        if isinstance(valid, Reject):
            return valid.but(what=bug.model_dump(mode="json"))
        if self._spec.most_failing is not None and len(valid.fail_to_pass) > self._spec.most_failing:
            return Reject(reason="too_many_fail", detail=f"{len(valid.fail_to_pass)} tests fail")
        return await self._drafted(slot, chat, ready, bug, broken, valid)

    async def _drafted(
        self, slot: Slot, chat: Chat | None, ready: Ready, bug: Bug, broken: dict[str, bytes], valid: Valid
    ) -> Draft | Reject:
        tests = {
            path: ready.checkout.files[path] for path in ready.environment.test_files if path in ready.checkout.files
        }
        failings = failing_of(valid.failing, tests)
        statement = await self._stated(slot, chat, ready, bug, failings)
        if isinstance(statement, Reject):
            return statement.but(what=bug.model_dump(mode="json"))
        return swe_draft(
            ready.checkout,
            ready.environment,
            kind=bug.kind,
            hash_=bug.id[:8],
            broken=in_box(broken, ready.checkout),
            patch=bug.patch,
            fix=bug.fix,
            valid=valid,
            statement=statement,
            rates=self._spec.reward == "rates",
            more={"changes": [change.model_dump(mode="json") for change in bug.changes]},
        )

    async def _stated(
        self, slot: Slot, chat: Chat | None, ready: Ready, bug: Bug, failings: tuple[Failing, ...]
    ) -> str | Reject:
        shown = [failing.shown for failing in failings]
        names = [change.qualname for change in bug.changes]
        said = [change.change for change in bug.changes]

        def leaks(text: str) -> str | None:
            return leak(text, bug.fix, bug.paths, names, shown=shown, changes=said)

        if self._spec.statement == "teacher":
            assert chat is not None
            episode = Episode(bug.id, slot.seed)
            return await ask(chat, failings, bug.patch, ready.environment.name, leaks=leaks, episode=episode)
        written = write(failings, ready.environment.name, slot.rng(), leaks)
        return written or Reject(reason="statement_leaks", detail="nothing can be said of it that keeps the fix back")
