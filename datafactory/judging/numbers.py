"""The number that a table's column `scores` has under a name, as an expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datafactory.judging.answering import COMBINED

if TYPE_CHECKING:
    import polars as pl


def number_of(name: str, judge: str = COMBINED) -> pl.Expr:
    """The score of that name by that judge, the last where it gave several; `combined` is the only one too, where just
    one judged. Null: there is none, or it could not be read."""
    import polars as pl

    field = pl.element().struct.field
    named = pl.col("scores").list.filter(field("name") == name)
    own = named.list.filter(field("judge") == judge)
    if judge == COMBINED:
        own = pl.when(named.list.len() == 1).then(named).otherwise(own)
    return own.list.last().struct.field("value").fill_nan(None)
