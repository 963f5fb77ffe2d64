"""Problem statements for broken repositories: what a user would report, and never the fix."""

from generators.swe.statements.ask import ask
from generators.swe.statements.behaviour import Behaviour, behaviour_of
from generators.swe.statements.failing import Failing, failing_of
from generators.swe.statements.leaks import leak
from generators.swe.statements.write import write

__all__ = ["Behaviour", "Failing", "ask", "behaviour_of", "failing_of", "leak", "write"]
