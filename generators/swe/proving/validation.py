"""Validates a change of a repository: which tests it fails, proved by repeats, with no more tests run than needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from datafactory.types import Reject
from generators.swe.environment import Environment
from generators.swe.mutations import Bug
from generators.swe.proving.benches import Pair
from generators.swe.testing import Report, TestResult

TRACES = 20
"""Tracebacks that are kept of a bug: a problem statement is written from fewer."""


@dataclass(frozen=True, slots=True)
class Valid:
    """What a change does to the tests; ids in the order of the environment's."""

    fail_to_pass: tuple[str, ...]
    """Fail with the change in every repeat, and pass without."""
    pass_to_pass: tuple[str, ...]
    """Pass with the change and without."""
    failing: tuple[TestResult, ...]
    """What the first said, in the last run; with the traceback for the first `TRACES`."""


def covering(environment: Environment, bug: Bug) -> frozenset[str] | None:
    """Stable tests that ran a line which the bug changes; None: all may be touched, since a line runs at import, or
    since nobody looked which test runs what."""
    if not environment.coverage.files:
        return None
    found: set[str] = set()
    for change in bug.changes:
        tests = environment.coverage.tests_for(change.path, range(change.first_line, change.last_line + 1))
        if tests is None:
            return None
        found |= tests
    return frozenset(found.intersection(environment.tests))


async def validate(
    pair: Pair, environment: Environment, bug: Bug, changes: Mapping[str, bytes | None], *, repeats: int = 3
) -> Valid | Reject:
    """Run what the bug may touch, then the whole suite, then again what failed, until `repeats` runs agree.

    Where all that the bug changes is what functions do, the first and the second swap their code; what follows imports,
    once at least: both ways have to say the same. `changes`: the broken files by absolute path in the box; None: no
    such file. Reasons: `not_covered`, `no_test_fails`, `hangs`, `flaky`, `nothing_passes` (a task needs a test of
    either kind, SWE-smith). Raises SandboxError.
    """
    found = await _validated(pair, environment, bug, changes, repeats)
    if pair.workers > 1 and isinstance(found, Reject) and found.reason == "flaky":
        # Tests that heed a clock fail in company.
        found = await _validated(replace(pair, workers=1), environment, bug, changes, repeats)
    return found


async def _validated(
    pair: Pair, environment: Environment, bug: Bug, changes: Mapping[str, bytes | None], repeats: int
) -> Valid | Reject:
    touched = covering(environment, bug)
    if touched is not None and not touched:
        return Reject(reason="not_covered", detail=f"no test runs {_places(bug)}")
    stable = frozenset(environment.tests)
    asked = touched if touched is not None and pair.is_part(touched) else None
    first, whole = await _confirmed(pair, asked, changes, swaps=touched is not None)
    if first.timed_out or (whole is not None and whole.timed_out):
        return _hangs(pair, whole or first, asked if whole is None else None)
    failed = (asked or stable) - first.passed
    if not failed:
        return Reject(reason="no_test_fails", detail=f"{len(asked or stable)} tests pass with {_places(bug)} broken")
    every = failed if whole is None else stable - whole.passed
    if asked is not None and every & asked != failed:
        return _flaky(every & asked, failed)
    seen = 2 if whole is not None and every == failed else 1  # else a test depends on a line that it does not run
    said = first
    for number in range(left := max(repeats - seen, 1)):
        traces = TRACES if number == left - 1 else 0
        said = await pair.cold.run(sorted(every), changes=changes, timeout=pair.limit(every), traces=traces)
        if said.timed_out:
            return _hangs(pair, said, every)
        if every & said.passed:
            return _flaky(every, every - said.passed)
    if every == stable:
        return Reject(reason="nothing_passes", detail=f"all {len(every)} tests fail with {_places(bug)} broken")
    ordered = tuple(test for test in environment.tests if test in every)
    passing = tuple(test for test in environment.tests if test not in every)
    return Valid(ordered, passing, tuple(said.results.get(test) or _lost(said, test) for test in ordered))


def _lost(report: Report, test: str) -> TestResult:
    """A test of a file that could not be collected."""
    return TestResult(id=test, outcome="error", message=report.broken.get(test.partition("::")[0], ""))


async def _confirmed(
    pair: Pair, asked: frozenset[str] | None, changes: Mapping[str, bytes | None], *, swaps: bool
) -> tuple[Report, Report | None]:
    """A run of what is asked for, and one of the whole suite where that fails; None: the first was of the whole suite.
    `swaps`: whether code may be swapped, since no line of the bug ran while anything was imported."""
    tests = None if asked is None else sorted(asked)
    limits = {"timeout": pair.limit(asked), "whole": pair.limit(None)}
    for bench in (pair.warm if swaps else None, pair.cold):
        made = bench and await bench.confirmed(tests, changes=changes, workers=pair.workers, **limits)
        if made:
            return made
    raise AssertionError("a bench that imports runs any change")


def _places(bug: Bug) -> str:
    return ", ".join(f"{change.path}:{change.first_line}" for change in bug.changes)


def _hangs(pair: Pair, report: Report, asked: frozenset[str] | None) -> Reject:
    """Why a run of `asked` (None: all tests) was ended."""
    slow = next((result.id for result in report.results.values() if result.message.startswith("timeout")), "")
    return Reject(reason="hangs", detail=f"not done after {pair.limit(asked):.0f} s{f', in {slow}' if slow else ''}")


def _flaky(one: frozenset[str], other: frozenset[str]) -> Reject:
    return Reject(reason="flaky", detail=f"repeats disagree about {', '.join(sorted(one ^ other)[:5]) or 'nothing'}")
