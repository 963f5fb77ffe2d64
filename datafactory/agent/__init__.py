"""The agent loop, its two dialects and the terminal."""

from datafactory.agent.dialect import MALFORMED, Dialect
from datafactory.agent.dialects import DIALECTS, dialect
from datafactory.agent.loop import Attempted, Limits, attempt

__all__ = ["DIALECTS", "MALFORMED", "Attempted", "Dialect", "Limits", "attempt", "dialect"]
