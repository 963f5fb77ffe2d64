"""How well scores rank attempts at one task: pairs in the right order, and the best of k."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def squares(tasks: Array) -> Iterator[tuple[Array, Array]]:
    """Rows of tasks that have equally many attempts, side by side: the tasks' numbers, and for each a line of rows.

    `tasks`: for each row the number of its task, from 0.
    """
    import numpy as np

    order = np.argsort(tasks, kind="stable")
    counts = np.bincount(tasks)
    starts = np.cumsum(counts) - counts
    for size in np.unique(counts[counts > 0]):
        chosen = np.flatnonzero(counts == size)
        yield chosen, order[starts[chosen][:, None] + np.arange(size)]


def pairs(tasks: Array, scores: Array, rewards: Array) -> tuple[Array, Array]:
    """For each task: the pairs of its attempts that the scores order as the rewards do, and the pairs with different
    rewards. Equal scores are half right, as a coin would be."""
    import numpy as np

    right, all_pairs = np.zeros(tasks.max() + 1), np.zeros(tasks.max() + 1)
    for chosen, rows in squares(tasks):
        for first in range(rows.shape[1]):
            for second in range(first):
                truth = np.sign(rewards[rows[:, first]] - rewards[rows[:, second]])
                said = np.sign(scores[rows[:, first]] - scores[rows[:, second]])
                all_pairs[chosen] += truth != 0
                right[chosen] += np.where(truth != 0, (1 + truth * said) / 2, 0)
    return right, all_pairs


def best_of(tasks: Array, scores: Array, rewards: Array, k: int) -> Array:
    """For each task the reward to expect of the attempt with the best score among k of its attempts, drawn without
    replacement; NaN: it has fewer. Exact: over all subsets, with equal scores drawn among."""
    import numpy as np

    made = np.full(tasks.max() + 1, np.nan)
    for chosen, rows in squares(tasks):
        size = rows.shape[1]
        if size < k:
            continue
        within = np.array([comb(count, k) / comb(size, k) for count in range(size + 1)])
        of, earned = scores[rows], rewards[rows]
        expected = np.zeros(len(chosen))
        for place in range(size):
            less = (of < of[:, place : place + 1]).sum(axis=1)
            equal = (of == of[:, place : place + 1]).sum(axis=1)
            expected += earned[:, place] * (within[less + equal] - within[less]) / equal
        made[chosen] = expected
    return made
