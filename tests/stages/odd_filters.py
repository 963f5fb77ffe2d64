"""Filters as a user would write them."""

from __future__ import annotations

import polars as pl

from datafactory.spec import Spec


class FirstAttempts(Spec):
    """Keeps the first attempt at each task."""

    def reject(self, rows: pl.LazyFrame) -> pl.Expr:
        """Why a row goes."""
        return pl.when(pl.col("attempt") > 0).then(pl.lit("a later attempt"))
