"""What a filter keeps, held against verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datafactory.judging.resampling import estimates

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


def precision_recall(rows: pl.LazyFrame, keeps: pl.Expr) -> dict[str, Any]:
    """How the rows that are kept compare with those that were solved.

    `rows`: attempts with `task_id` and `reward`; `keeps`: true for those that stay. Gives `verified` (rows with a
    verdict; the others count nowhere), of those `solved` and `kept`, and `precision` (share of the kept that is
    solved) and `recall` (share of the solved that is kept), each as `[value, low, high]` with its 95 % interval by
    bootstrap over tasks, or None where it is not defined.
    """
    import numpy as np
    import polars as pl

    solved, kept = pl.col("reward") == 1.0, pl.col("kept")
    judged = rows.select("task_id", "reward", keeps.alias("kept")).filter(pl.col("reward").is_not_null())
    counts = judged.group_by("task_id").agg(
        pl.len().alias("rows"),
        solved.sum().alias("solved"),
        kept.sum().alias("kept"),
        (solved & kept).sum().alias("both"),
    )
    of = counts.sort("task_id").collect(engine="streaming")
    made: dict[str, Any] = {name: int(of[name].sum()) for name in ("rows", "solved", "kept")}
    made["verified"] = made.pop("rows")
    both, solved_of, kept_of = (of[name].to_numpy().astype(float) for name in ("both", "solved", "kept"))

    def shares(weights: np.ndarray[Any, Any]) -> dict[str, float]:
        with np.errstate(invalid="ignore"):
            hits = weights @ both
            return {"precision": np.divide(hits, weights @ kept_of), "recall": np.divide(hits, weights @ solved_of)}

    found = estimates(shares, of.height, made["verified"]) if of.height else {}
    for name in ("precision", "recall"):
        made[name] = found[name].as_json() if name in found else None
    return made
