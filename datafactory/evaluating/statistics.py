"""Numbers of repeated attempts at tasks, with their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import comb, nan
from typing import TYPE_CHECKING, Any, NamedTuple

from datafactory.judging.resampling import estimates

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Z = 1.959963984540054
"""Standard deviations that a normal variable leaves in 5 % of all cases."""


class Interval(NamedTuple):
    """A number with the 95 % interval in which it might as well lie."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Ratio:
    """A sum over tasks divided by another: a mean where the divisor counts tasks."""

    above: Array
    """For each task; 0 where it has nothing to say."""
    below: Array
    """For each task."""
    bounds: tuple[float, float] | None = None
    """Between which the ratio lies whatever the tasks; None: it has none."""


def pass_at(k: int, *, attempts: int, solved: int) -> float:
    """The chance that `k` of a task's attempts, drawn without replacement, have a solved one among them: the unbiased
    estimator of pass@k (HumanEval, arXiv 2107.03374, section 2.1). NaN for fewer than `k` attempts."""
    return nan if k > attempts else 1.0 - float(comb(attempts - solved, k) / comb(attempts, k))


def mcnemar(gained: int, lost: int) -> float:
    """How likely a difference this large is where there is none: the exact two-sided test of McNemar (Psychometrika 12,
    1947) on pairs of which `gained` went one way and `lost` the other; pairs that agree say nothing."""
    pairs, fewer = gained + lost, min(gained, lost)
    as_extreme = 2 * sum(comb(pairs, number) for number in range(fewer + 1))
    return min(1.0, float(Fraction(as_extreme, 2**pairs)))


def intervals(ratios: Mapping[str, Ratio]) -> dict[str, Interval]:
    """Each ratio with its interval, by bootstrap over tasks; those without any task that counts are left out.

    Where every task says the same (none was solved, say), resampling cannot tell how sure that is: the interval is then
    as wide as Wilson's (JASA 22, 1927) for as many tasks, of which none, or every one, came out so.
    """
    import numpy as np

    def drawn(weights: Array) -> dict[str, float]:
        return {name: _divided(float(weights @ r.above), float(weights @ r.below)) for name, r in ratios.items()}

    tasks = len(next(iter(ratios.values())).above) if ratios else 0
    made = {}
    for name, found in (estimates(drawn, tasks, tasks * len(ratios)) if tasks else {}).items():
        low, high, bounds = found.low, found.high, ratios[name].bounds
        if bounds is not None and high - low < 1e-12:
            count = int(np.count_nonzero(ratios[name].below))
            margin = Z * Z / (count + Z * Z)
            low, high = max(bounds[0], low - margin), min(bounds[1], high + margin)
        made[name] = Interval(round(found.value, 6), round(low, 6), round(high, 6))
    return made


def _divided(above: float, below: float) -> float:
    return above / below if below else nan
