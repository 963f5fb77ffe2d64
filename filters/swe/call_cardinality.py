"""Drops attempts in which an answer did not make exactly one tool call that holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl


class CallCardinality(Spec):
    """Drops attempts in which the teacher made no tool call in a turn, more than one, or a malformed one.

    The rule of SWE-ZERO (arXiv 2604.01496, section 2). It is for dialects with native tool calls; rows of a text
    dialect, which have no tools, pass."""

    use_name = "call_cardinality"
    rowwise: ClassVar[bool] = True

    max_calls: int = Field(default=1, ge=1)
    """Largest number of calls in one turn."""
    silent: bool = False
    """Whether turns without a call stay."""
    malformed: bool = False
    """Whether turns stay whose calls no tool could take (arguments that are no JSON, or do not fit; no such tool)."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `tools`, `messages` and `n_faults`."""
        import polars as pl

        shape = pl.Struct({"role": pl.String, "tool_calls": pl.List(pl.Struct({"id": pl.String}))})
        message = pl.element().str.json_decode(shape)
        calls = message.struct.field("tool_calls").list.len().fill_null(0)
        spoken = message.struct.field("role") == "assistant"
        counts = pl.col("messages").list.eval(pl.when(spoken).then(calls).drop_nulls())
        none = counts.list.eval(pl.element() == 0).list.sum()
        many = counts.list.eval(pl.element() > self.max_calls).list.sum()
        # a turn without a call is a fault too, where it was recorded
        faults = pl.col("n_faults").cast(pl.Int64) - none.cast(pl.Int64)
        reasons = [
            pl.when(many > 0).then(
                pl.format(f"call_cardinality: {{}} turns with more than {self.max_calls} calls", many)
            )
        ]
        if not self.silent:
            reasons.append(pl.when(none > 0).then(pl.format("call_cardinality: {} turns without a call", none)))
        if not self.malformed:
            reasons.append(pl.when(faults > 0).then(pl.format("call_cardinality: {} malformed turns", faults)))
        return pl.when(pl.col("tools").list.len() > 0).then(pl.coalesce(reasons))
