"""What is said to a bench and what comes back: how to test, what each test came to, which test ran which line."""

from __future__ import annotations

from typing import Literal

from datafactory.types import Record
from generators.swe.places import PYTHON, TESTBED

Outcome = Literal["passed", "failed", "error", "skipped", "xfailed", "xpassed"]


class Testing(Record):
    """How a repository's tests are run in its box."""

    __test__ = False

    python: str = PYTHON
    """The interpreter that has pytest and the repository."""
    folder: str = TESTBED
    """Where the repository lies: tests run from here, and node ids are relative to it."""
    arguments: tuple[str, ...] = ()
    """Arguments of pytest, without node ids."""
    rebuild: str = ""
    """A line for bash that compiles the repository's extension modules anew, in place and without a network; empty: it
    has none, or they cannot be."""
    rebuild_seconds: float = 0.0
    """What that took."""


class TestResult(Record):
    """What one test came to."""

    __test__ = False

    id: str
    """pytest's node id, relative to the folder."""
    outcome: Outcome
    seconds: float = 0.0
    """Set-up, call and teardown."""
    message: str = ""
    """One line, such as ``AssertionError: assert 3 == 4``, ``timeout`` or ``crashed: signal 11``."""
    trace: str = ""
    """The end of the traceback, at most 2000 characters."""


class Report(Record):
    """What a run of tests came to."""

    results: dict[str, TestResult] = {}
    """By node id, in the order in which they ended. A test that was asked for and could not be run is here too."""
    broken: dict[str, str] = {}
    """Files that would not be collected, relative to the folder, and why."""
    unstable: dict[str, str] = {}
    """Node ids that cannot name a test from one session to the next, and why."""
    timed_out: bool = False
    """Whether the time of the whole run was up. Tests that it cut off are failed; their message begins with
    ``timeout``."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """What its processes computed, of those that ended by themselves or were ended."""
    log: str = ""
    """The end of what pytest printed."""

    @property
    def passed(self) -> frozenset[str]:
        """Ids of the tests that passed."""
        return frozenset(result.id for result in self.results.values() if result.outcome == "passed")

    @property
    def failed(self) -> frozenset[str]:
        """Ids of the tests that failed, or had an error around them."""
        return frozenset(result.id for result in self.results.values() if result.outcome in ("failed", "error"))


class FileCoverage(Record):
    """Which tests ran the lines of one file."""

    imported: tuple[int, ...] = ()
    """Lines that ran while a module was imported or tests were collected, ascending."""
    lines: dict[int, int] = {}
    """By line (from 1): an index into `Coverage.groups`."""


class Coverage(Record):
    """Which test ran which line; a statement over several lines counts as a whole."""

    tests: tuple[str, ...] = ()
    """Node ids; everything else here speaks of places in it."""
    groups: tuple[tuple[int, ...], ...] = ()
    """The sets of tests that some line has, each once."""
    files: dict[str, FileCoverage] = {}
    """By path relative to the folder; a file without a line that ran is absent."""
    anything: tuple[int, ...] = ()
    """Tests that started a process: it may have run any line."""

    def tests_for(self, path: str, lines: range) -> frozenset[str] | None:
        """Tests that a change of `lines` (from 1) of `path` (relative to the folder) may touch; empty: none ran them.
        None: a line ran while a module was imported, so anything may depend on it."""
        file = self.files.get(path)
        if file is None:
            return frozenset()
        if any(line in lines for line in file.imported):
            return None
        ran = {number for line in lines if line in file.lines for number in self.groups[file.lines[line]]}
        return frozenset(self.tests[number] for number in ran.union(self.anything))
