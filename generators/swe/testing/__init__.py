"""Runs a repository's tests in its box, thousands of times without starting pytest anew, and rules by them."""

from generators.swe.testing.bench import Bench, open_bench
from generators.swe.testing.check import PATCH, resolved_check
from generators.swe.testing.records import Coverage, FileCoverage, Outcome, Report, Testing, TestResult

__all__ = [
    "PATCH",
    "Bench",
    "Coverage",
    "FileCoverage",
    "Outcome",
    "Report",
    "TestResult",
    "Testing",
    "open_bench",
    "resolved_check",
]
