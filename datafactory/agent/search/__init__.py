"""The agent that answers questions: it searches a library and opens pages, in one of two dialects."""

from __future__ import annotations

from datafactory.agent.search.desk import Desk
from datafactory.agent.search.limits import SearchLimits
from datafactory.agent.search.native import NativeSearch
from datafactory.agent.search.summary import Summaries
from datafactory.agent.search.tagged import TaggedSearch
from datafactory.errors import ConfigError
from datafactory.protocols import Chat, Episode, Library
from datafactory.types import Task

__all__ = ["Desk", "NativeSearch", "SearchLimits", "TaggedSearch", "searching"]

_SPOKEN: dict[str, type[NativeSearch] | type[TaggedSearch]] = {"search": NativeSearch, "search-tags": TaggedSearch}


def searching(
    task: Task, library: Library, chat: Chat, *, dialect: str, limits: SearchLimits, episode: Episode
) -> NativeSearch | TaggedSearch:
    """A conversation about a question, with `library` open. `dialect`: `search` (native tool calls) or `search-tags`
    (ASearcher's tags); `chat` is asked for summaries of long pages, where `limits` want them. Raises ConfigError."""
    if dialect not in _SPOKEN:
        raise ConfigError(f"no agent that searches is called {dialect!r}; there are {' and '.join(_SPOKEN)}")
    return _SPOKEN[dialect](task, Desk(library, limits, Summaries(chat, episode, task.prompt, limits)))
