"""Marks turns that do again what was done before."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from datafactory.spec import Spec
from filters.actions import actions, changes
from filters.markers.marking import marked

if TYPE_CHECKING:
    import polars as pl

_COUNTED = {"command", "edit", "view", "search", "visit", "other"}
"""Waiting, thinking and handing in may come again."""


class Repeats(Spec):
    """Marks turns that repeat an earlier one, with the same result, where no file was changed in between.

    The first of them keeps its loss. Tests that are run again after an edit are no repetition, whatever they say."""

    use_name: ClassVar[str] = "repeats"

    def mark(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, `agent` and `tools`."""
        import polars as pl

        message = pl.element()
        shown = pl.when(message.str.contains(r'"role"\s*:\s*"(?:tool|user)"')).then(
            message.str.json_path_match("$.content")
        )
        results = pl.col("messages").list.eval(shown.drop_nulls())
        twice = results.list.n_unique() < results.list.len()
        return marked(twice, self._marks, "messages", "agent", "tools")

    def _marks(self, messages: list[str], agent: str | None, tools: list[str] | None) -> dict[int, str]:
        found: dict[int, str] = {}
        known: dict[object, int] = {}
        for place, group in groupby(actions(messages, agent or "", tools or ()), key=lambda action: action.place):
            turn = list(group)
            deed = tuple((action.kind, action.text, action.path, action.how, action.seen) for action in turn)
            if any(change for action in turn for change in changes(action)):
                known.clear()
            elif all(action.kind in _COUNTED and action.seen for action in turn):
                if deed in known:
                    found[place] = f"repeats: message {known[deed] + 1} again, with the same result"
                known.setdefault(deed, place)
        return found
