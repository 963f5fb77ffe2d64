"""What the generators of SWE tasks share: their keys, and the way from a bug to a proved draft or to a reject."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from datafactory.local import CORES
from datafactory.protocols import Chat, Episode, Slot
from datafactory.spec import Spec
from datafactory.types import Draft, Reject
from generators.swe.drafting import in_box, swe_draft
from generators.swe.environment import Environment
from generators.swe.mutations import Bug
from generators.swe.places import TESTBED
from generators.swe.proving.blame import blamed
from generators.swe.proving.validation import Valid, validate
from generators.swe.repositories import Ready, Unfit
from generators.swe.sources import Checkout, Repository
from generators.swe.statements import Failing, ask, failing_of, leak, write


class SWESpec(Spec):
    """The keys that every generator of SWE tasks has."""

    count: int = Field(ge=1)
    """How many tasks to make, in equal shares of the repositories that can be set up."""
    repos: tuple[Repository, ...] = Field(min_length=1)
    """Where the code comes from: `toolz==1.1.0` (a package's sdist), `https://host/owner/name@commit`, a folder."""
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
        """Repositories that are not taken."""
        for number, repository in enumerate(self.repos):
            yield from (f"repos[{number}].{problem}" for problem in repository.problems())

    def inputs(self) -> Iterable[Path]:
        """The files of repositories that are folders."""
        for repository in self.repos:
            yield from repository.inputs()


def unfit_told(unfit: Sequence[Unfit], slot: Slot, *, others: bool) -> Reject | None:
    """Why a repository gives no tasks, told once: as the first try at one of the first slots; None: nothing to tell at
    this slot. `others`: whether there are repositories that can fill its place."""
    if not unfit or (others and (slot.retry > 0 or slot.index >= len(unfit))):
        return None
    lost = unfit[slot.index % len(unfit)]
    return Reject(reason=f"unfit_{lost.step}", detail=f"{lost.at}: {lost.detail}", final=not others)


async def make_task(
    spec: SWESpec,
    slot: Slot,
    chat: Chat | None,
    ready: Ready,
    bug: Bug,
    broken: dict[str, bytes],
    *,
    more: dict[str, Any] | None = None,
) -> Draft | Reject:
    """Prove the bug, have its issue written, and put the task together. `broken`: the changed files by their paths in
    the repository; `more`: further facts of the source. Rejects as `validate`, and `fix_elsewhere` (it could
    be read off another file), `breaks_box`, `too_many_fail`, `statement_…`; they name the bug. Raises
    SandboxError, TeacherError."""
    what = bug.model_dump(mode="json")
    if known := ready.environment.copies.of(bug.fix):
        return Reject(reason="fix_elsewhere", detail=known, what=what)
    changes = {f"{TESTBED}/{path}": data for path, data in broken.items()}
    run = partial(validate, environment=ready.environment, bug=bug, changes=changes, repeats=spec.repeats)
    valid = await blamed(ready.benches.take, run)
    if isinstance(valid, Reject):
        return valid.but(what=what)
    if spec.most_failing is not None and len(valid.fail_to_pass) > spec.most_failing:
        return Reject(reason="too_many_fail", detail=f"{len(valid.fail_to_pass)} tests fail", what=what)
    statement = await stated(spec.statement, slot, chat, ready.checkout, ready.environment, bug, valid)
    if isinstance(statement, Reject):
        return statement.but(what=what)
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
        rates=spec.reward == "rates",
        more={"changes": [change.model_dump(mode="json") for change in bug.changes], **(more or {})},
    )


async def stated(
    who: Literal["embedded", "teacher"],
    slot: Slot,
    chat: Chat | None,
    checkout: Checkout,
    environment: Environment,
    bug: Bug,
    valid: Valid,
) -> str | Reject:
    """The issue of a bug. `checkout`: with the tests that fail. Rejects as `ask`, and `statement_leaks`. Raises
    TeacherError."""
    tests = {path: checkout.files[path] for path in environment.test_files}
    failings: tuple[Failing, ...] = failing_of(valid.failing, tests)
    shown = [failing.shown for failing in failings]
    leaks = partial(leaks_of, bug, shown)
    if who == "teacher":
        assert chat is not None
        episode = Episode(bug.id, slot.seed)
        return await ask(chat, failings, bug.patch, environment.name, leaks=leaks, episode=episode)
    written = write(failings, environment.name, slot.rng(), leaks)
    return written or Reject(reason="statement_leaks", detail="nothing can be said of it that keeps the fix back")


def leaks_of(bug: Bug, shown: Sequence[str], text: str) -> str | None:
    """Why a text gives away what mends the bug; None: no reason was found. `shown`: code that may be said."""
    names = [change.qualname for change in bug.changes]
    return leak(text, bug.fix, bug.paths, names, shown=shown, changes=[change.change for change in bug.changes])
