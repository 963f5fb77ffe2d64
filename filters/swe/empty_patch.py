"""Drops attempts that changed nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datafactory.spec import Spec

if TYPE_CHECKING:
    import polars as pl


class EmptyPatch(Spec):
    """Drops attempts at SWE tasks that left no patch (SWE-ZERO, arXiv 2604.01496, section 2); others pass."""

    use_name = "empty_patch"
    rowwise: ClassVar[bool] = True

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Reads `model_patch`, which is null where a task asks for none."""
        import polars as pl

        return pl.when(pl.col("model_patch").str.strip_chars() == "").then(pl.lit("empty_patch: nothing was changed"))
