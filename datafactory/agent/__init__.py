"""The agent loop, its two dialects and the terminal."""

from datafactory.agent.dialect import DIALECTS, MALFORMED, Dialect, dialect
from datafactory.agent.loop import Attempted, Limits, attempt

__all__ = ["DIALECTS", "MALFORMED", "Attempted", "Dialect", "Limits", "attempt", "dialect"]
