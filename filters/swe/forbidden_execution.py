"""Drops attempts that tried to execute where nothing may be executed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl

REFUSALS = (
    r"(?s)^not run: [^\n]*\n\[exit code 126\]\s*$",
    r"(?s)^exit code: 126\nnot run: [^\n]*\s*$",
)
"""What an agent read instead of output, in the dialects `openhands` and `tools`; the whole message, so that a file with
such a line in it is none."""


class ForbiddenExecution(Spec):
    """Drops attempts whose sandbox refused a command, or the edit of a file of the system's.

    The first filter of SWE-ZERO (arXiv 2604.01496), where it drops about 35 %. There a parser judges the trajectory
    afterwards; here the sandbox `no_execution` judged while the agent worked. What no sandbox judged passes."""

    use_name = "forbidden_execution"
    rowwise: ClassVar[bool] = True

    max_refused: int = Field(default=0, ge=0)
    """Largest number of refusals that stays."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `violations`, and refusals in `messages`, which count where they are more: a record can be lost."""
        import polars as pl

        message = pl.element()
        content = message.str.json_path_match("$.content")
        told = (message.str.json_path_match("$.role") == "tool") & content.str.contains("|".join(REFUSALS))
        recorded = pl.col("violations").list.len().fill_null(0)
        seen = pl.col("messages").list.eval(told.fill_null(False)).list.sum().cast(pl.UInt32)
        count = pl.max_horizontal(recorded, seen)
        reasons = pl.col("violations").list.first().str.json_path_match("$.reason")
        first = pl.format(", first: {}", reasons.str.slice(0, 120)).fill_null("")
        return pl.when(count > self.max_refused).then(pl.format("forbidden_execution: {} refused{}", count, first))
