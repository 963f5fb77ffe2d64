"""Keeps the first of rows that say exactly the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl

COLUMN = {"messages": "content_hash", "prompt": "instruction"}


class Duplicate(Spec):
    """Keeps the first, by task and attempt, of rows that are exactly equal; their order in the file does not matter."""

    use_name = "duplicate"

    on: Literal["messages", "prompt"] = "messages"
    """What must differ: the whole conversation, or the task's prompt (then one attempt stays for each prompt)."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `id`, `task_id`, `attempt`, and `content_hash` or `instruction`."""
        import polars as pl

        original = pl.col("id").sort_by("task_id", "attempt").first().over(COLUMN[self.on])
        again = (pl.col("id") != original) | ~pl.col("id").is_first_distinct()
        return pl.when(again).then(pl.format(f"duplicate: same {self.on} as {{}}", original))
