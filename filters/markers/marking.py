"""Marks on messages, made by a function that sees only the rows that need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def marked(suspect: pl.Expr, mark: Callable[..., Mapping[int, str]], *columns: str) -> pl.Expr:
    """Lists of reasons as long as `messages`: those that `mark`, called with the values of `columns`, gives by the
    place of a message, for rows that are `suspect`; null at all other places."""
    import polars as pl

    def decide(rows: pl.Series) -> pl.Series:
        import numpy as np

        from datafactory.table.lists import lists

        frame = rows.struct.unnest()
        lengths = frame["length"].fill_null(0)
        starts = np.cumsum(lengths.to_numpy(), dtype=np.int64) - lengths.to_numpy()
        flat = pl.repeat(None, int(lengths.sum()), dtype=pl.String, eager=True)
        found = frame["suspect"].arg_true().to_list()
        places, reasons = [], []
        for row, values in zip(found, frame[found].select(columns).iter_rows(), strict=True):
            for place, reason in mark(*values).items():
                places.append(int(starts[row]) + place)
                reasons.append(reason)
        if places:
            flat = flat.scatter(places, pl.Series(reasons, dtype=pl.String))
        return lists(flat, lengths).alias(rows.name)

    lengths = pl.col("messages").list.len().alias("length")
    asked = pl.struct(suspect.fill_null(False).alias("suspect"), lengths, *columns)
    return asked.map_batches(decide, return_dtype=pl.List(pl.String), is_elementwise=True)
