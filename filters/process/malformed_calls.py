"""Drops attempts of which too many calls could not be carried out as they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from datafactory.spec import Spec
from datafactory.types import MALFORMED
from filters.actions import actions
from filters.spoken import any_message, judged

if TYPE_CHECKING:
    import polars as pl


class MalformedCalls(Spec):
    """Drops attempts with too large a share of malformed calls: arguments that are no JSON object or do not fit, tools
    that do not exist, answers in a text dialect that cannot be read.

    An answer without a call is none that is malformed (`call_cardinality` has those). `format` bounds the share of
    turns with any fault; here, calls count, and one slip is forgiven."""

    use_name: ClassVar[str] = "malformed_calls"
    rowwise: ClassVar[bool] = True

    max_share: float = Field(default=0.1, ge=0, le=1)
    """Largest share of an attempt's calls that may be malformed."""
    spare: int = Field(default=1, ge=0)
    """Malformed calls that stay, whatever their share."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `messages`, `agent`, `tools`, `n_faults` and `origin`."""
        import polars as pl

        marked = any_message(pl.element().str.contains(MALFORMED, literal=True))
        foreign = pl.col("origin").fill_null("") != ""  # nobody counted their faults
        suspect = marked | foreign | (pl.col("n_faults") > self.spare)
        return judged(suspect, self._reason, "messages", "agent", "tools")

    def _reason(self, messages: list[str], agent: str | None, tools: list[str] | None) -> str | None:
        done = [
            action
            for action in actions(messages, agent or "", tools or ())
            if action.kind != "nothing" or action.fault not in ("", "no tool was called")
        ]
        bad = [action for action in done if action.fault]
        if len(bad) <= self.spare or len(bad) <= len(done) * self.max_share:
            return None
        share = f"{len(bad)} of {len(done)} calls are malformed > {self.max_share:g}"
        return f"malformed_calls: {share}, first: {bad[0].fault}"
