"""Validates a change of a repository: which tests it fails, proved by repeats, with no more tests run than needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datafactory.types import Reject
from generators.swe.benches import Pair
from generators.swe.environment import Environment
from generators.swe.mutations import Bug
from generators.swe.testing import Report, TestResult


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
    """Run what the bug may touch, then the whole suite, then again the tests that failed and those that run its lines,
    until `repeats` runs agree.

    Where all that the bug changes is what functions do, the first and the second swap their code and the third imports:
    both ways have to say the same. `changes`: the broken files by absolute path in the box; None: no such file.
    Reasons: `not_covered`, `no_test_fails`, `hangs`, `flaky`, `nothing_passes` (a task needs a test of either kind,
    SWE-smith). Raises SandboxError.
    """
    touched = covering(environment, bug)
    if touched is not None and not touched:
        return Reject(reason="not_covered", detail=f"no test runs {_places(bug)}")
    runs = _Runs(pair, frozenset(environment.tests), changes, swaps=touched is not None)
    first = await runs.failing(touched)
    if first is None:
        return _hangs(runs)
    if not first:
        return Reject(
            reason="no_test_fails", detail=f"{len(touched or runs.stable)} tests pass with {_places(bug)} broken"
        )
    every = first if touched is None else await runs.failing(None)
    if every is None:
        return _hangs(runs)
    if touched is not None and every & touched != first:
        return _flaky(every & touched, first)
    whole, again = runs.report, every | (touched or frozenset())
    seen = 2 if touched is not None and every <= touched else 1  # else a test depends on a line that it does not run
    runs.swaps = False
    for _ in range(repeats - seen):
        found = await runs.failing(again)
        if found is None:
            return _hangs(runs)
        if found != every:
            return _flaky(every, found)
    if every == runs.stable:
        return Reject(reason="nothing_passes", detail=f"all {len(every)} tests fail with {_places(bug)} broken")
    ordered = tuple(test for test in environment.tests if test in every)
    passing = tuple(test for test in environment.tests if test not in every)
    return Valid(ordered, passing, tuple(whole.results.get(test) or _lost(whole, test) for test in ordered))


def _lost(report: Report, test: str) -> TestResult:
    """A test of a file that could not be collected."""
    return TestResult(id=test, outcome="error", message=report.broken.get(test.partition("::")[0], ""))


class _Runs:
    """Runs of one change."""

    def __init__(self, pair: Pair, stable: frozenset[str], changes: Mapping[str, bytes | None], *, swaps: bool) -> None:
        self.stable = stable
        self.swaps = swaps
        """Whether code may be swapped: no line of the change ran while anything was imported."""
        self.report = Report()
        """Of the last run."""
        self.hung = ""
        """Why the last run was ended."""
        self._pair = pair
        self._changes = changes

    async def failing(self, which: frozenset[str] | None) -> frozenset[str] | None:
        """Those of `which` (None: all stable tests) that do not pass; None: the run was ended."""
        tests = None if which is None else sorted(which)
        limit = self._pair.limit(which)
        report = None
        if self.swaps and self._pair.warm is not None:
            report = await self._pair.warm.swapped(tests, changes=self._changes, timeout=limit)
            self.swaps = report is not None
        self.report = report or await self._pair.cold.run(tests, changes=self._changes, timeout=limit)
        if self.report.timed_out:
            results = self.report.results.values()
            slow = next((result.id for result in results if result.message.startswith("timeout")), "")
            self.hung = f"not done after {limit:.0f} s{f', in {slow}' if slow else ''}"
            return None
        return (self.stable if which is None else which) - self.report.passed


def _places(bug: Bug) -> str:
    return ", ".join(f"{change.path}:{change.first_line}" for change in bug.changes)


def _hangs(runs: _Runs) -> Reject:
    return Reject(reason="hangs", detail=runs.hung)


def _flaky(one: frozenset[str], other: frozenset[str]) -> Reject:
    return Reject(reason="flaky", detail=f"repeats disagree about {', '.join(sorted(one ^ other)[:5]) or 'nothing'}")
