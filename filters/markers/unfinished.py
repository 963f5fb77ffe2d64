"""Marks what came to nothing in attempts that a limit ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from datafactory.spec import Spec
from datafactory.types import Stop
from filters.actions import actions, useful
from filters.markers.marking import marked

if TYPE_CHECKING:
    import polars as pl


class Unfinished(Spec):
    """Marks the turns after the last useful one, in attempts that a limit ended: they led nowhere.

    Useful is what changed a file or ran a program, and did not fail; or showed a page that had not been seen. Attempts
    that were submitted are left alone."""

    use_name: ClassVar[str] = "unfinished"

    stops: tuple[Stop, ...] = Field(
        default=("turn_limit", "token_limit", "time_limit", "truncated", "context_limit", "student_limit"), min_length=1
    )
    """Reasons of ending that count as unfinished."""
    whole: bool = False
    """Whether all turns of such an attempt are marked, as Nemotron 3 Ultra does."""

    def mark(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, `agent`, `tools`, `repo` and `stop`."""
        import polars as pl

        ended = pl.col("stop").is_in(self.stops)
        return marked(ended, self._marks, "messages", "agent", "tools", "repo", "stop")

    def _marks(
        self, messages: list[str], agent: str | None, tools: list[str] | None, repo: str | None, stop: str
    ) -> dict[int, str]:
        done = actions(messages, agent or "", tools or ())
        places = dict.fromkeys(action.place for action in done)
        if self.whole:
            return dict.fromkeys(places, f"unfinished: ended by {stop}")
        last, seen = -1, set[str | None]()
        for action in done:
            if useful(action, repo=bool(repo)) and (action.kind not in ("search", "visit") or action.seen not in seen):
                last = action.place
            seen.add(action.seen)
        since = "nothing useful was done" if last < 0 else f"nothing useful was done after message {last + 1}"
        return {place: f"unfinished: {since}, ended by {stop}" for place in places if place > last}
