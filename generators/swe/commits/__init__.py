"""Fixes that people made: which commits of a history are some, and where their tests can be run."""

from generators.swe.commits.choose import Candidate, Found, find_fixes
from generators.swe.commits.grounds import Grounds
from generators.swe.commits.words import hints

__all__ = ["Candidate", "Found", "Grounds", "find_fixes", "hints"]
