"""A fix that is known, with tests of its own: what an agent finds of it, and the proof that it mends something."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath
from shlex import quote

from datafactory.checks import prove
from datafactory.layers import hold
from datafactory.protocols import Box, SandboxHost
from datafactory.types import Draft, File, Files, Reject
from generators.swe.between import bug_between
from generators.swe.checkout_lines import PREPARE
from generators.swe.environment import Environment
from generators.swe.environment.repeats import EACH, SUITE, Found
from generators.swe.environment.suite import FOLDERS, Suite, find_suite, test_files
from generators.swe.known.patches import Change, between, changed
from generators.swe.mutations import Bug
from generators.swe.places import TESTBED
from generators.swe.proving.benches import Pair
from generators.swe.proving.blame import blamed
from generators.swe.proving.validation import Valid, validate
from generators.swe.sources import Checkout
from generators.swe.testing import Bench, Coverage, Testing, open_bench

CONFIGURATION = frozenset(
    {"conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg"}
    | {"pyproject.toml", "sitecustomize.py", "usercustomize.py"}
)
"""Files that the check puts back after an attempt, as it does all in folders of tests, since they say how tests run; so
it has to have them as the fix makes them."""
_TESTS = frozenset({"test", "tests"})


@dataclass(frozen=True)
class Ground:
    """A repository that was set up, at whatever commit."""

    checkout: Checkout
    environment: Environment


@dataclass(frozen=True)
class KnownFix:
    """A repository with a bug, and what mends it."""

    found: Checkout
    """As an agent finds it."""
    code: Change = field(repr=False)
    """What the fix makes of files that are no tests."""
    tests: Change = field(repr=False)
    """What comes of tests, to judge it by."""

    @property
    def judging(self) -> Change:
        """Tests, and what the fix makes of the files that say how tests run."""
        return {**{path: file for path, file in self.code.items() if _says(path)}, **self.tests}

    @property
    def mended(self) -> Files:
        """All files with the fix and its tests."""
        return changed(changed(self.found.files, self.code), self.judging)


@dataclass(frozen=True)
class Proven:
    """A known fix that mends something, and all that a task of it needs."""

    checkout: Checkout
    """Of the commit that an agent finds, with the files as they are once it is mended."""
    environment: Environment
    """With the tests that pass then."""
    valid: Valid
    files: Files
    """What a box of the layer lacks of what an agent finds, and what the fix changes, by absolute path."""
    remove: tuple[str, ...]
    """Lines that take away what it has too much."""
    gone: tuple[str, ...]
    """Test files that are not there any more once it is mended."""


def bug_of(fix: KnownFix, kind: str) -> Bug:
    """The bug that a fix mends. Raises NoBug."""
    sound = {path: None if file is None else file.data for path, file in fix.code.items()}
    found = fix.found.files
    return bug_between(kind, sound, {path: found[path].data if path in found else None for path in sound})


async def prove_fix(host: SandboxHost, ground: Ground, fix: KnownFix, bug: Bug, *, repeats: int) -> Proven | Reject:
    """Run the tests of the mended repository `repeats` times, then over the broken code, in one box that begins as an
    agent's does. `ground`: any commit near to the one that is found, with the same requirements.

    Rejects as `validate`, and `tests_fail` (none passes each time with the fix), `hangs`, `breaks_box`. Raises
    SandboxError.
    """
    lacks = between(ground.checkout.files, fix.found.files)
    mends = {path: fix.found.files[path] for path in fix.code if path in fix.found.files}
    files = {f"{TESTBED}/{path}": file for path, file in {**lacks, **mends}.items() if file is not None}
    remove = _removes(path for path, file in lacks.items() if file is None)
    prepare = (*ground.environment.copies.prepare, *remove, *PREPARE)
    mended = fix.mended
    testing = _testing(ground, mended)

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Box, Bench]]:
        async with (
            host.open(ground.environment.image, files, workdir=TESTBED, prepare=prepare) as box,
            open_bench(box, testing) as bench,
        ):
            yield box, bench

    with hold(ground.environment.image):
        proved = await blamed(opened, partial(_proved, ground=ground, fix=fix, bug=bug, mended=mended, repeats=repeats))
    if isinstance(proved, Reject):
        return proved
    environment, valid = proved
    gone = tuple(sorted(path for path, file in fix.judging.items() if file is None))
    return Proven(replace(fix.found, files=mended), environment, valid, files, remove, gone)


async def _proved(
    place: tuple[Box, Bench], *, ground: Ground, fix: KnownFix, bug: Bug, mended: Files, repeats: int
) -> tuple[Environment, Valid] | Reject:
    box, bench = place
    found = Found(bench.testing, unstable=dict.fromkeys(ground.environment.flaky, "before the fix"))
    for _ in range(repeats):
        report = await bench.run(None, changes=_in_box({**fix.code, **fix.judging}), timeout=SUITE, each=EACH)
        if report.timed_out:
            return Reject(reason="hangs", detail=f"with the fix, the suite takes over {SUITE:g} s")
        found.reports.append(report)
        found.unstable.update(report.unstable)
    if not found.stable:
        return Reject(reason="tests_fail", detail=f"with the fix, no test passes: {_first(found)}")
    environment = _environment(ground.environment, fix, found, mended)
    seconds = {test: result.seconds for test, result in report.results.items()}
    pair = Pair(box, bench, None, seconds, environment.seconds)
    valid = await validate(pair, environment, bug, _in_box(fix.judging), repeats=repeats)
    return valid if isinstance(valid, Reject) else (environment, valid)


async def gated(host: SandboxHost, draft: Draft) -> Draft | Reject:
    """The draft, where the soundness gate lets it pass: what was seen in one box holds as attempts are judged too.
    Raises SandboxError."""
    with hold(draft.image):
        unsound = await prove(host, draft, repeats=1)
    return draft if unsound is None else unsound


def _says(path: str) -> bool:
    *folders, name = path.split("/")
    return name in CONFIGURATION or not _TESTS.isdisjoint(folders)


def _environment(ground: Environment, fix: KnownFix, found: Found, mended: Files) -> Environment:
    judged = {path for path, file in fix.judging.items() if file is not None}
    suite = find_suite(mended, fix.found.repository.tests) or Suite((), "")
    return ground.but(
        name=fix.found.name,
        version=fix.found.version,
        commit=fix.found.commit,
        license=fix.found.license,
        digest=fix.found.digest,
        testing=found.testing,
        tests=found.stable,
        flaky=found.flaky,
        failing=found.failing,
        seconds=_rough(max(report.seconds for report in found.reports)),
        test_files=tuple(sorted(judged.union(test_files(mended, suite)))),
        coverage=Coverage(),
    )


def _rough(seconds: float) -> float:
    """So many or more, and the same however busy a machine is: the time that a check has is a part of the task."""
    rough = 10.0
    while rough < seconds:
        rough *= 2
    return rough


def _testing(ground: Ground, mended: Files) -> Testing:
    """How tests run once it is mended: a fix may bring the first ones in their folder."""
    asked = ground.checkout.repository.tests
    before, after = find_suite(ground.checkout.files, asked), find_suite(mended, asked)
    testing = ground.environment.testing
    if before is None or after is None or before == after:
        return testing
    plain = testing.arguments[: len(before.arguments())] != before.arguments()
    more = testing.arguments[len(before.arguments(plain=plain)) :]
    return testing.but(arguments=(*after.arguments(plain=plain), *more))


def _removes(paths: Iterable[str]) -> tuple[str, ...]:
    """A line that removes files, and folders that are empty then."""
    gone = sorted(paths)
    if not gone:
        return ()
    folders = sorted({str(above) for path in gone for above in PurePosixPath(path).parents} - {"."}, reverse=True)
    clear = (
        f" && {{ rmdir --ignore-fail-on-non-empty -- {' '.join(map(quote, folders))} 2>/dev/null || :; }}"
        if folders
        else ""
    )
    return (f"cd {TESTBED} && rm -f -- {' '.join(map(quote, gone))}{clear}",)


def _in_box(change: Change) -> Mapping[str, bytes | None]:
    return {f"{TESTBED}/{path}": None if file is None else file.data for path, file in change.items()}


def _first(found: Found) -> str:
    report = found.reports[0]
    said = [*report.broken.values(), *(result.message for result in report.results.values() if result.message)]
    return said[0][:300] if said else "none is collected"


def of_tests(paths: Iterable[str], settings: Files) -> frozenset[str]:
    """Those of `paths` that belong to tests, as the set-up tells them. `settings`: a repository's files, of which the
    configuration of pytest counts."""
    known = {path: file for path, file in settings.items() if PurePosixPath(path).name in CONFIGURATION}
    asked = {path: File() for path in paths if path not in known}
    named = test_files({**known, **asked}, Suite((), ""))
    return frozenset(path for path in paths if path in named or not FOLDERS.isdisjoint(path.split("/")[:-1]))
