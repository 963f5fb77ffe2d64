"""How hard tasks proved to be: what share of the attempts at each was solved, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

Z = 1.959963984540054
"""Standard deviations that a normal variable leaves in 5 % of all cases."""


def solved_of_task() -> pl.Expr:
    """For each row, how many attempts at its task were solved."""
    import polars as pl

    return pl.col("solved").sum().over("task_id").cast(pl.Int64)


def judged_of_task() -> pl.Expr:
    """For each row, how many attempts at its task were verified."""
    import polars as pl

    return pl.col("solved").count().over("task_id").cast(pl.Int64)


def pass_rate() -> pl.Expr:
    """For each row, the share of the verified attempts at its task that were solved; null: none was verified."""
    import polars as pl

    judged = judged_of_task()
    return pl.when(judged > 0).then(solved_of_task() / judged)


def interval() -> tuple[pl.Expr, pl.Expr]:
    """For each row, the ends of the 95 % interval of that share (Wilson's score interval, JASA 22, 1927): it holds up
    at few attempts, and at none or all of them solved."""
    solved, judged = solved_of_task(), judged_of_task()
    share, square = solved / judged, Z * Z
    middle = (share + square / (2 * judged)) / (1 + square / judged)
    half = (Z / (1 + square / judged)) * (share * (1 - share) / judged + square / (4 * judged * judged)).sqrt()
    return (middle - half).clip(0, 1), (middle + half).clip(0, 1)
