"""Runs a repository's tests in its box, thousands of times without starting pytest anew, and rules by them."""

from generators.swe.testing.bench import Bench, open_bench
from generators.swe.testing.check import resolved_check
from generators.swe.testing.records import Coverage, FileCoverage, Outcome, Report, Testing, TestResult
from generators.swe.testing.warm_bench import WarmBench, open_warm_bench

__all__ = [
    "Bench",
    "Coverage",
    "FileCoverage",
    "Outcome",
    "Report",
    "TestResult",
    "Testing",
    "WarmBench",
    "open_bench",
    "open_warm_bench",
    "resolved_check",
]
