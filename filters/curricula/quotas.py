"""How much of each group is wanted: shares of a total, with a cap on how often a row may be repeated."""

from __future__ import annotations

import math
from collections.abc import Sequence


def filled(total: float, shares: Sequence[float], have: Sequence[float], repeats: float) -> list[float]:
    """Amounts in proportion to `shares` that sum to `total`, none above `repeats` times what there is.

    What a group cannot take goes to the others in proportion; where no group can take more, the sum is less.
    """
    amounts = [0.0] * len(shares)
    most = [repeats * amount for amount in have]
    open_groups = {at for at, share in enumerate(shares) if share > 0 and have[at] > 0}
    left = float(total)
    while open_groups and left > 0:
        whole = sum(shares[at] for at in open_groups)
        full = {at for at in open_groups if left * (shares[at] / whole) >= most[at]}
        for at in full or open_groups:
            amounts[at] = most[at] if full else left * (shares[at] / whole)
        if not full:
            break
        left -= sum(most[at] for at in full)
        open_groups -= full
    return amounts


def largest(shares: Sequence[float], have: Sequence[float], repeats: float) -> float:
    """The largest total of which each group can give its share without more than so many repeats; 0: one has none."""
    whole = sum(shares)
    return min((repeats * have[at] * whole / share for at, share in enumerate(shares) if share > 0), default=0.0)


def rounded(amounts: Sequence[float]) -> list[int]:
    """Whole numbers whose sum is the rounded sum of the amounts; the largest remainders are rounded up, the first of
    equal ones first."""
    floors = [math.floor(amount + 1e-9) for amount in amounts]
    missing = math.floor(sum(amounts) + 0.5) - sum(floors)
    order = sorted(range(len(amounts)), key=lambda at: (-round(amounts[at] - floors[at], 9), at))
    for at in order[: max(0, missing)]:
        floors[at] += 1
    return floors
