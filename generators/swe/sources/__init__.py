"""Where SWE tasks come from: repositories, brought as files without any of their code being run."""

from __future__ import annotations

from generators.swe.sources.benchmarks import excluded_benchmark
from generators.swe.sources.checkout import Checkout, fetch
from generators.swe.sources.fault import SourceError
from generators.swe.sources.history import Commit, History, fetch_history
from generators.swe.sources.repository import Repository

__all__ = [
    "Checkout",
    "Commit",
    "History",
    "Repository",
    "SourceError",
    "excluded_benchmark",
    "fetch",
    "fetch_history",
]
