"""Runs a suite again and again, and tells tests that always pass from those that fail, hang, or do either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from datafactory.protocols import Box
from generators.swe.environment.build import LOG
from generators.swe.environment.record import SetUpFailed
from generators.swe.environment.suite import Suite
from generators.swe.places import PYTHON, TESTBED
from generators.swe.testing import Report, Testing
from generators.swe.testing.bench import KILLED, open_bench

EACH = 60.0
"""Seconds for one test, past which it counts as hanging."""
SUITE = 600.0
"""Seconds for the whole suite."""
_ROUNDS = 4
"""How often the suite is run anew without tests that hung."""
_USAGE = 4
"""Exit status of pytest that did not understand its command line."""


@dataclass
class Found:
    """What runs of a suite came to so far."""

    testing: Testing
    hung: dict[str, str] = field(default_factory=dict)
    """Tests and files that were taken out of the suite, and why."""
    reports: list[Report] = field(default_factory=list)
    unstable: dict[str, str] = field(default_factory=dict)
    """Ids that name no test from one session to the next, and why."""

    @property
    def ids(self) -> list[str]:
        """Every test that was seen, in the order of the first run."""
        return list(dict.fromkeys(id for report in self.reports for id in report.results))

    def outcomes(self, id: str) -> set[str]:
        """What a test came to; absent from a run: ``absent``. Failing and erring are the same thing here."""
        seen = {report.results[id].outcome if id in report.results else "absent" for report in self.reports}
        return {"failed" if outcome == "error" else str(outcome) for outcome in seen}

    @property
    def stable(self) -> tuple[str, ...]:
        """Tests that passed each time."""
        return tuple(id for id in self.ids if self.outcomes(id) == {"passed"} and id not in self.unstable)

    @property
    def flaky(self) -> tuple[str, ...]:
        """Tests whose outcome differed, or whose id names no test for sure."""
        return tuple(id for id in self.ids if len(self.outcomes(id)) > 1 or id in self.unstable)

    @property
    def failing(self) -> dict[str, str]:
        """Tests that failed each time, hung, or were in a file that would not be collected."""
        first = self.reports[0]
        failed = {id: first.results[id].message for id in self.ids if self.outcomes(id) == {"failed"}}
        return {**first.broken, **failed, **self.hung}


async def arguments(box: Box, suite: Suite) -> Testing:
    """How the suite is run; options that this pytest does not know are left out. Raises SetUpFailed."""
    said = ""
    for plain in (False, True):
        given = suite.arguments(plain=plain)
        command = [PYTHON, "-m", "pytest", "--collect-only", "-q", *given]
        done = await box.exec(command, timeout=SUITE)
        said = done.output
        if done.timed_out:
            raise SetUpFailed("tests_run", f"collecting the tests took over {SUITE:g} s", said[-LOG:])
        if done.exit_code != _USAGE:
            break
    else:
        raise SetUpFailed("tests_run", "pytest does not understand how it is called", said[-LOG:])
    if "INTERNALERROR" in said:
        raise SetUpFailed("tests_run", "pytest breaks while it collects the tests", said[-LOG:])
    return Testing(python=PYTHON, folder=TESTBED, arguments=given)


async def first_run(box: Box, testing: Testing, *, each: float = EACH, suite: float = SUITE) -> Found:
    """Run the suite once; tests that take over `each` seconds, or end what runs them, are taken out of it. Raises
    SetUpFailed where nothing passes, and where it takes over `suite` seconds."""
    found = Found(testing)
    for _ in range(_ROUNDS):
        async with open_bench(box, found.testing) as bench:
            report = await bench.run(None, timeout=suite, each=each)
        hung = {
            id: f"timeout: took over {each:g} s"
            for id, result in report.results.items()
            if result.message.startswith("timeout") and result.seconds >= each * 0.9
        }
        killers = {id: result.message for id, result in report.results.items() if result.message == KILLED}
        ended = {file: why for file, why in report.broken.items() if why == KILLED}
        found.hung |= {**hung, **killers, **ended}
        found.testing = deselected(found.testing, [*hung, *killers], list(ended))
        if not hung or not report.timed_out:
            break
    if report.timed_out:
        raise SetUpFailed("tests_run", f"the suite takes over {suite:g} s", report.log[-LOG:])
    _judge(report)
    report = report.but(results={id: one for id, one in report.results.items() if id not in found.hung})
    found.reports.append(report)
    found.unstable.update(report.unstable)
    return found


def deselected(testing: Testing, tests: Sequence[str], files: Sequence[str] = ()) -> Testing:
    """The same without some tests, and some files of tests."""
    without = (*(f"--deselect={id}" for id in tests), *(f"--ignore={file}" for file in files))
    return testing.but(arguments=(*testing.arguments, *without))


def _judge(report: Report) -> None:
    if report.passed:
        return
    if "INTERNALERROR" in report.log:
        raise SetUpFailed("tests_run", "pytest breaks", report.log[-LOG:])
    if not report.results and not report.broken:
        raise SetUpFailed("tests_found", "pytest finds no test in the files that look like tests", report.log[-LOG:])
    why = next(iter(report.broken.values()), "") or next(
        (result.message for result in report.results.values() if result.message), "all are skipped"
    )
    raise SetUpFailed("no_passing_tests", f"no test passes; the first says: {why[:300]}", report.log[-LOG:])
