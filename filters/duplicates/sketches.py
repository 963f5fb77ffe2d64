"""Sketches of sets: 256 short numbers a row, of which two rows share about as many as their sets are alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from filters.word_kernels import mixed

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

SIZE = 256
"""Numbers in a sketch, 2 bytes each: two sets of Jaccard index 0.8 share 0.8 of them, give or take 0.025."""
MISSED = 0.003
"""Largest share of pairs right at the threshold that may lie in no band together."""
DOUBT = 4.0
"""Standard deviations that an estimate may be too low before a pair is left unproved (8 in 100,000 are more at 0.8)."""

_compiled = numba.njit(nogil=True, cache=True, boundscheck=False)


def rows_of_bands(threshold: float) -> int:
    """How many numbers make one band: the most with which a pair at the threshold is missed by `MISSED` at most."""
    widths = range(1, 17)
    return max(w for w in widths if w == 1 or (1 - threshold**w) ** (SIZE // w) <= MISSED)


def enough(threshold: float) -> int:
    """How many numbers a pair must share for its sets to be compared."""
    return max(1, math.ceil(SIZE * threshold - DOUBT * math.sqrt(SIZE * threshold * (1 - threshold))))


@_compiled
def sketch(values: Array, bounds: Array, out: Array) -> None:
    """Fill `out` (uint16, texts x `SIZE`) with sketches of the sets `values[bounds[i]:bounds[i + 1]]`; repetitions do
    not count, and an empty set has zeros.

    Dahlgaard, Knudsen, Thorup: Fast Similarity Sketching (arXiv 1704.04370): each element falls into one bin of each
    round, the least of the first round that reaches a bin stays, and rounds end when every bin is taken. One or two
    are enough for a thousand elements, and small sets are drawn from again and again, so that the estimate is as good
    as that of `SIZE` independent permutations whatever the size, at a fraction of their hashes.
    """
    bins = np.empty(SIZE, np.uint64)
    nothing = np.uint64(0xFFFFFFFFFFFFFFFF)
    low = np.uint64((1 << 48) - 1)
    for text in range(len(bounds) - 1):
        held = values[bounds[text] : bounds[text + 1]]
        if len(held) == 0:
            out[text, :] = 0
            continue
        bins[:] = nothing
        left, turn = SIZE, 0
        while left > 0:
            salt, place = np.uint64(turn + 1) * np.uint64(0xD1342543DE82EF95), np.uint64(turn) << np.uint64(48)
            for value in held:
                h = mixed(value + salt)
                at = h >> np.uint64(56) if turn < SIZE else np.uint64(turn - SIZE)
                drawn = place | (h & low)
                if drawn < bins[at]:
                    left -= bins[at] == nothing
                    bins[at] = drawn
            turn += 1
        for at in range(SIZE):
            out[text, at] = np.uint16(bins[at] & np.uint64(0xFFFF))


@_compiled
def bands(sketches: Array, groups: Array, first: int, width: int, out: Array) -> None:
    """Fill `out` (uint64, rows) with a hash of the `width` numbers from `first`; rows of different groups differ."""
    for row in range(len(sketches)):
        h = groups[row]
        for at in range(first, first + width):
            h = mixed(h + np.uint64(sketches[row, at]) + np.uint64(1))
        out[row] = h


@_compiled
def shared(one: Array, other: Array) -> Any:
    """How many numbers two sketches share."""
    count = np.uint16(0)
    for at in range(SIZE):
        count += np.uint16(one[at] == other[at])
    return np.int64(count)


@_compiled
def distinct(values: Array, bounds: Array, out: Array, ends: Array) -> int:
    """Put each set in order and once each into `out`, `ends` says where each ends; how many there are in all."""
    n = 0
    for text in range(len(bounds) - 1):
        held = np.sort(values[bounds[text] : bounds[text + 1]])
        for at in range(len(held)):
            if at == 0 or held[at] != held[at - 1]:
                out[n] = held[at]
                n += 1
        ends[text + 1] = n
    return n


@_compiled
def jaccard(one: Array, other: Array) -> float:
    """The Jaccard index of two sets that are in order."""
    i, j, both = 0, 0, 0
    while i < len(one) and j < len(other):
        a, b = one[i], other[j]
        both += a == b
        i += a <= b
        j += b <= a
    return both / (len(one) + len(other) - both)
