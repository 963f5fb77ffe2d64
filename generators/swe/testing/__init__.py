"""Runs a repository's tests in its box, thousands of times without starting pytest anew."""

from generators.swe.testing.records import Coverage, FileCoverage, Report, Testing, TestResult

__all__ = ["Coverage", "FileCoverage", "Report", "TestResult", "Testing"]
