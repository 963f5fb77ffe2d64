"""Random draws that follow from a seed and a row's id alone, whatever the machine and the order of the rows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

DIGITS = 12
"""Hex digits of a hash that decide a draw: 48 bits, exact in a float."""
COPY = "_copy"
"""Number of a row's copy, from 0, where rows are repeated."""


def hashed(purpose: str, seed: int, *, copies: bool = False) -> pl.Expr:
    """SHA-256 (hex) of purpose, seed and the row's id (and its copy's number); polars' own hash may change by version.

    Each purpose draws anew: were one draw used twice, the attempts that it kept would also gather at the front.
    """
    import polars as pl

    def digests(column: pl.Series) -> pl.Series:
        made = [hashlib.sha256(f"{purpose}/{seed}/{item}".encode()).hexdigest() for item in column]
        return pl.Series(column.name, made, dtype=pl.String)

    text = pl.concat_str([pl.col(COPY), pl.col("id")], separator="/") if copies else pl.col("id")
    return text.map_batches(digests, return_dtype=pl.String, is_elementwise=True)


def fraction(draw: pl.Expr) -> pl.Expr:
    """A hash as a number from 0 (included) to 1 (not)."""
    import polars as pl

    return draw.str.head(DIGITS).str.to_integer(base=16).cast(pl.Float64) / float(16**DIGITS)
