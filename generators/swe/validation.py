"""Validates a change of a repository: which tests it fails, proved by repeats, with no more tests run than needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datafactory.types import Reject
from generators.swe.environment import Environment
from generators.swe.mutations import Bug
from generators.swe.testing import Bench, Report, TestResult

SLACK = 10.0
"""Seconds beyond three times the whole suite before a run with a change in place counts as hung."""


@dataclass(frozen=True, slots=True)
class Valid:
    """What a change does to the tests; ids in the order of the environment's."""

    fail_to_pass: tuple[str, ...]
    """Fail with the change in every repeat, and pass without."""
    pass_to_pass: tuple[str, ...]
    """Pass with the change and without."""
    failing: tuple[TestResult, ...]
    """What the first said, from the run of the whole suite."""


def covering(environment: Environment, bug: Bug) -> frozenset[str] | None:
    """Stable tests that ran a line which the bug changes; None: all may be touched, since a line runs at import."""
    found: set[str] = set()
    for change in bug.changes:
        tests = environment.coverage.tests_for(change.path, range(change.first_line, change.last_line + 1))
        if tests is None:
            return None
        found |= tests
    return frozenset(found.intersection(environment.tests))


async def validate(
    bench: Bench, environment: Environment, bug: Bug, changes: Mapping[str, bytes], *, repeats: int = 3
) -> Valid | Reject:
    """Run what the bug may touch, then the whole suite, then again what it may touch until `repeats` runs agree.

    `changes`: the broken files by absolute path in the box. Reasons: `not_covered`, `no_test_fails`, `hangs`, `flaky`,
    `nothing_passes` (a task needs a test of either kind, SWE-smith, section 2.1). Raises SandboxError.
    """
    touched = covering(environment, bug)
    if touched is not None and not touched:
        return Reject(reason="not_covered", detail=f"no test runs {_places(bug)}")
    limit = SLACK + 3 * environment.seconds
    stable = frozenset(environment.tests)

    async def failing(which: frozenset[str] | None) -> tuple[Report, frozenset[str]]:
        tests = None if which is None else sorted(which)
        report = await bench.run(tests, changes=changes, timeout=limit)
        return report, (stable if which is None else which) - report.passed

    report, first = await failing(touched)
    if report.timed_out:
        return _hangs(report, limit)
    if not first:
        return Reject(reason="no_test_fails", detail=f"{len(touched or stable)} tests pass with {_places(bug)} broken")
    whole, every = await failing(None)
    if whole.timed_out:
        return _hangs(whole, limit)
    if every & (touched or stable) != first:
        return _flaky(every & (touched or stable), first)
    missed = touched is not None and not every <= touched  # a test depends on a line that it does not run
    for _ in range(repeats - (1 if missed else 2)):
        report, found = await failing(None if missed else touched)
        if report.timed_out or found != every:
            return _flaky(every, found)
    if every == stable:
        return Reject(reason="nothing_passes", detail=f"all {len(stable)} tests fail with {_places(bug)} broken")
    ordered = tuple(test for test in environment.tests if test in every)
    said = tuple(whole.results.get(test) or TestResult(id=test, outcome="error") for test in ordered)
    return Valid(ordered, tuple(test for test in environment.tests if test not in every), said)


def _places(bug: Bug) -> str:
    return ", ".join(f"{change.path}:{change.first_line}" for change in bug.changes)


def _hangs(report: Report, limit: float) -> Reject:
    slow = next((result.id for result in report.results.values() if result.message.startswith("timeout")), "")
    return Reject(reason="hangs", detail=f"not done after {limit:.0f} s{f', in {slow}' if slow else ''}")


def _flaky(one: frozenset[str], other: frozenset[str]) -> Reject:
    return Reject(reason="flaky", detail=f"repeats disagree about {', '.join(sorted(one ^ other)[:5]) or 'nothing'}")
