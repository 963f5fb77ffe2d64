"""The generator `swe_commits`: fixes that people made, out of histories, proved by the tests that came with them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from datafactory.protocols import Chat, Maker, SandboxHost, Slot
from datafactory.types import Draft, Reject
from generators.swe.drafting import swe_draft
from generators.swe.known.commits import Candidate, Found, Grounds, find_fixes, hints
from generators.swe.known.commits.grounds import nearest
from generators.swe.known.fixes import KnownFix, Proven, bug_of, gated, prove_fix
from generators.swe.known.patches import between, patch_of
from generators.swe.making import SWESpec, leaks_of, stated, unfit_told
from generators.swe.mutations import Bug, NoBug
from generators.swe.repositories import Unfit, cache
from generators.swe.sources import History, Repository, SourceError, fetch_history
from generators.swe.sources.address import Package, Place
from generators.swe.sources.folder import heads

KIND = "commit"


class SWECommits(SWESpec):
    """Repositories as they were before somebody mended something, judged by the tests of the commit that did."""

    use_name: ClassVar[str] = "swe_commits"

    repos: tuple[Repository, ...] = Field(min_length=1)
    """Git repositories: `https://host/owner/name@v1.4`, or a path to one, with `@` and a revision or as its HEAD is;
    the history of that commit, tag or branch counts."""
    commits: int = Field(default=1000, ge=1)
    """How many of a history's newest commits to look at."""
    most_files: int = Field(default=5, ge=1)
    """Most files that are no tests and no documentation in a fix."""
    most_lines: int = Field(default=200, ge=1)
    """Most lines added and removed in them."""
    seed: int = 0
    """Shapes the words of issues alone: fixes are taken newest first."""
    paths: tuple[str, ...] = ()
    """Folders or patterns (`pkg/core/*`) of which the code of a fix has to touch one; left out: anything."""

    def problems(self) -> Iterable[str]:
        """Repositories that are not taken; packages, which have no history."""
        yield from super().problems()
        for number, repository in enumerate(self.repos):
            if isinstance(repository.named, Package):
                yield f"repos[{number}].at: {repository.at} is a package, which has no history; name a git repository"

    def inputs(self) -> Iterable[Path]:
        """Where the HEAD of a path stands that has no revision: another commit there is another history."""
        for repository in self.repos:
            named = repository.named
            if isinstance(named, Place) and not named.revision and (folder := Path(named.path).expanduser()).is_dir():
                yield from heads(folder.resolve())

    def open(self, host: SandboxHost) -> AbstractAsyncContextManager[Maker]:
        """Fetch the histories; what is needed of them is set up when a slot comes to it."""
        return self._open(host)

    @asynccontextmanager
    async def _open(self, host: SandboxHost) -> AsyncIterator[Maker]:
        mines: list[_Mine] = []
        unfit: list[Unfit] = []
        for repository in self.repos:
            try:
                history, found, near = await asyncio.to_thread(self._looked, repository)
            except SourceError as error:
                if not error.final:
                    raise
                unfit.append(Unfit(repository.at, error.step, str(error)))
                continue
            if not found.fixes:
                unfit.append(Unfit(repository.at, "no_fixes", str(found)))
                continue
            mines.append(_Mine(history, found, Grounds(host, history, near, cache() / "environments")))
        yield _Miner(self, host, mines, unfit)

    def _looked(self, repository: Repository) -> tuple[History, Found, dict[str, str]]:
        history = fetch_history(repository, cache() / "sources", self.commits + 1)
        found = find_fixes(
            history, most=self.commits, most_files=self.most_files, most_lines=self.most_lines, paths=self.paths
        )
        return history, found, nearest(history, found.fixes)


@dataclass(frozen=True)
class _Mine:
    """A history, and what is to be found there."""

    history: History
    found: Found
    grounds: Grounds


class _Miner:
    """Makes the tasks of one run."""

    def __init__(self, spec: SWECommits, host: SandboxHost, mines: list[_Mine], unfit: list[Unfit]) -> None:
        self._spec = spec
        self._host = host
        self._mines = mines
        self._unfit = unfit
        self._boxes = asyncio.Semaphore(spec.boxes)

    async def make(self, slot: Slot, chat: Chat | None) -> Draft | Reject:
        """The task of one commit."""
        if told := unfit_told(self._unfit, slot, others=bool(self._mines)):
            return told
        mine = self._mines[slot.index % len(self._mines)]
        share = math.ceil(self._spec.count / len(self._mines))
        number = slot.index // len(self._mines) + slot.retry * share
        if number >= len(mine.found.fixes):
            return Reject(reason="no_more_fixes", detail=f"{mine.history.name}: {mine.found}", final=True)
        candidate = mine.found.fixes[number]
        made = await self._task(slot, chat, mine, candidate)
        if isinstance(made, Reject) and made.what is None:
            return made.but(what={"commit": candidate.commit.id})
        return made

    async def _task(self, slot: Slot, chat: Chat | None, mine: _Mine, candidate: Candidate) -> Draft | Reject:
        try:
            fix, bug = await asyncio.to_thread(_read, mine.history, candidate)
        except SourceError as error:
            return Reject(reason=f"unfit_{error.step}", detail=str(error))
        except NoBug as error:
            return Reject(reason="no_bug", detail=str(error))
        what = {"commit": candidate.commit.id, "fix": bug.fix}
        async with self._boxes:
            ground = await mine.grounds.of(candidate)
            if isinstance(ground, Reject):
                return ground
            if known := ground.environment.copies.of(bug.fix):
                return Reject(reason="fix_elsewhere", detail=known, what=what)
            proven = await prove_fix(self._host, ground, fix, bug, repeats=self._spec.repeats)
        if isinstance(proven, Reject):
            return proven.but(what=what)
        failing = len(proven.valid.fail_to_pass)
        if self._spec.most_failing is not None and failing > self._spec.most_failing:
            return Reject(reason="too_many_fail", detail=f"{failing} tests fail", what=what)
        who = self._spec.statement
        statement = await stated(who, slot, chat, proven.checkout, proven.environment, bug, proven.valid)
        if isinstance(statement, Reject):
            return statement.but(what=what)
        message, people = await asyncio.to_thread(mine.history.message, candidate.commit.id)
        told = hints(message, people, partial(leaks_of, bug, ()))
        async with self._boxes:
            made = await gated(self._host, self._draft(candidate, fix, bug, proven, statement, told))
        return made.but(what=what) if isinstance(made, Reject) else made

    def _draft(self, candidate: Candidate, fix: KnownFix, bug: Bug, proven: Proven, statement: str, told: str) -> Draft:
        return swe_draft(
            proven.checkout,
            proven.environment,
            kind=KIND,
            hash_=candidate.commit.id[:8],
            broken=proven.files,
            patch="",
            fix=bug.fix,
            valid=proven.valid,
            statement=statement,
            rates=self._spec.reward == "rates",
            remove=proven.remove,
            gone=proven.gone,
            more={
                "test_patch": patch_of(fix.found.files, fix.tests),
                "hints_text": told,
                "created_at": candidate.commit.at,
                **_more(bug, candidate),
            },
        )


def _more(bug: Bug, candidate: Candidate) -> dict[str, Any]:
    changes = [change.model_dump(mode="json") for change in bug.changes]
    return {"changes": changes, "fix_commit": candidate.commit.id}


def _read(history: History, candidate: Candidate) -> tuple[KnownFix, Bug]:
    """What a commit mends, and the bug that it was. Raises SourceError, NoBug."""
    found, fixed = history.checkout(candidate.commit.parent), history.checkout(candidate.commit.id)
    change = between(found.files, fixed.files)
    code, tests = (
        {path: change[path] for path in part if path in change} for part in (candidate.code, candidate.tests)
    )
    fix = KnownFix(found, code, tests)
    return fix, bug_of(fix, KIND)
