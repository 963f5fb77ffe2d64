"""The agent loop, its dialects and the terminal."""

from datafactory.agent.dialect import Conversation, Dialect
from datafactory.agent.dialects import DIALECTS, SEARCHES, AgentName, dialect
from datafactory.agent.fit_student import Student
from datafactory.agent.fit_tokens import Ruler
from datafactory.agent.loop import Attempted, Limits, attempt
from datafactory.types import MALFORMED

__all__ = [
    "DIALECTS",
    "MALFORMED",
    "SEARCHES",
    "AgentName",
    "Attempted",
    "Conversation",
    "Dialect",
    "Limits",
    "Ruler",
    "Student",
    "attempt",
    "dialect",
]
