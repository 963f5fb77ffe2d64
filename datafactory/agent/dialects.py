"""The dialects that there are, by name."""

from __future__ import annotations

from typing import Literal

from datafactory.agent.dialect import Dialect
from datafactory.errors import ConfigError

AgentName = Literal["terminus-2", "tools", "openhands", "search", "search-tags"]
DIALECTS = ("terminus-2", "tools", "openhands")
SEARCHES = ("search", "search-tags")
"""Those that speak with a library and not with a box; `datafactory.agent.search` has them."""


def dialect(name: str) -> Dialect:
    """The dialect of that name: `terminus-2` (JSON with keystrokes), `tools` (native calls of a shell) or `openhands`
    (native calls of a shell and an editor). Raises ConfigError."""
    if name == "terminus-2":
        from datafactory.agent.terminus import Terminus

        return Terminus
    if name == "tools":
        from datafactory.agent.tools import Tools

        return Tools
    if name == "openhands":
        from datafactory.agent.openhands import OpenHands

        return OpenHands
    raise ConfigError(f"no agent is called {name!r}; there are {', '.join(DIALECTS[:-1])} and {DIALECTS[-1]}")
