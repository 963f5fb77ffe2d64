"""Intervals by bootstrap over tasks, with replacement: attempts at one task are no independent rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

DRAWS = 1000
"""Draws at most; fewer where there are many rows, whose intervals are narrow anyway."""
LEAST_DRAWS = 100
WORK = 20_000_000
"""Rows times draws, about: some seconds of work."""
LEVEL = 0.95
"""Of the intervals."""


@dataclass(frozen=True)
class Estimate:
    """A number with the interval (95 %, percentiles of the bootstrap) in which it might as well lie."""

    value: float
    low: float
    high: float

    def as_json(self) -> list[float]:
        """`[value, low, high]`, to six places."""
        return [round(self.value, 6), round(self.low, 6), round(self.high, 6)]


Statistics = Callable[["np.ndarray[Any, Any]"], Mapping[str, float]]
"""Numbers of a sample, given how often each task is in it; NaN where one is not defined."""


def estimates(statistics: Statistics, tasks: int, rows: int) -> dict[str, Estimate]:
    """Each statistic of the whole, with its interval; those that are not defined, in the whole or in more than half of
    the draws, are left out.

    A draw in which one is not defined (all of it solved, say) does not count for that one. The draws are the same in
    every run.
    """
    import numpy as np

    whole = statistics(np.ones(tasks))
    names = [name for name, value in whole.items() if not np.isnan(value)]
    rng = np.random.default_rng(0)
    draws = min(DRAWS, max(LEAST_DRAWS, WORK // max(rows, 1)))
    found = np.full((draws, len(names)), np.nan)
    for number in range(draws):
        drawn = np.bincount(rng.integers(tasks, size=tasks), minlength=tasks).astype(float)
        made = statistics(drawn)
        found[number] = [made[name] for name in names]
    half = (1 - LEVEL) / 2
    told = {}
    for at, name in enumerate(names):
        known = found[~np.isnan(found[:, at]), at]
        if 2 * len(known) >= draws:
            low, high = np.quantile(known, [half, 1 - half])
            told[name] = Estimate(float(whole[name]), float(low), float(high))
    return told
