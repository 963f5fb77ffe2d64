"""Fixes that people made: which commits of a history are some, and where their tests can be run."""

from generators.swe.known.commits.choose import Candidate, Found, find_fixes
from generators.swe.known.commits.grounds import Grounds
from generators.swe.known.commits.words import hints

__all__ = ["Candidate", "Found", "Grounds", "find_fixes", "hints"]
