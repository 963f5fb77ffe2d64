"""Packs rows of tokens into sequences of one length, so that hardly a place is left empty."""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections.abc import Sequence

WINDOW = 4096
"""Rows that are packed together: the order of a curriculum holds but for so many."""


def packed(lengths: Sequence[int], capacity: int, *, window: int = WINDOW, seed: int = 0) -> list[list[int]]:
    """Numbers of the rows of each pack, every row once and none split. Raises ValueError for a row that is longer.

    Best fit, longest first, within windows of rows (Nemotron 3 packs by best fit without truncation, too). The packs
    keep the windows' order, and so the curriculum's; within a window they are shuffled, or long rows would come first.
    """
    if any(length > capacity for length in lengths):
        raise ValueError(f"a row is longer than a pack of {capacity:,} tokens")
    made: list[list[int]] = []
    for start in range(0, len(lengths), window):
        packs = _window(lengths, range(start, min(start + window, len(lengths))), capacity)
        random.Random(f"{seed}/{start}").shuffle(packs)
        made += packs
    return made


def _window(lengths: Sequence[int], rows: range, capacity: int) -> list[list[int]]:
    packs: list[list[int]] = []
    space: list[tuple[int, int]] = []
    """What is left in each pack, the least first, with the pack's number."""
    for row in sorted(rows, key=lambda number: (-lengths[number], number)):
        at = bisect_left(space, (lengths[row], -1))
        if at == len(space):
            packs.append([row])
            insort(space, (capacity - lengths[row], len(packs) - 1))
        else:
            left, pack = space.pop(at)
            packs[pack].append(row)
            insort(space, (left - lengths[row], pack))
    return packs
