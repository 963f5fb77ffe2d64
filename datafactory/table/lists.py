"""A column of lists taken apart into its items, and put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def items(lists: pl.Series) -> pl.Series:
    """All items, one list after another; a list that is null or empty has none."""
    return lists.explode(empty_as_null=False, keep_nulls=False)


def lists(items: pl.Series, lengths: pl.Series) -> pl.Series:
    """Lists of these lengths (null: 0), which must add up to the number of items."""
    import numpy as np
    import polars as pl
    import pyarrow as pa

    bounds = np.concatenate([[0], np.cumsum(lengths.fill_null(0).to_numpy(), dtype=np.int64)])
    if bounds[-1] != len(items):
        raise ValueError(f"{len(items)} items for lists of {bounds[-1]}")
    values = items.to_arrow(compat_level=pl.CompatLevel.oldest())
    made = pl.Series(items.name, pa.LargeListArray.from_arrays(pa.array(bounds), values))
    return made if made.dtype == pl.List(items.dtype) else made.cast(pl.List(items.dtype))
