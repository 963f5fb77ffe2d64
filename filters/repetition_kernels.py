"""The inner loops that find repetition in hashed words and turns, compiled by numba."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_compiled = numba.njit(nogil=True, cache=True, boundscheck=False)


@_compiled
def repeated_words(
    words: Array, bounds: Array, runs: Array, run_bounds: Array, length: int, period: int, out: Array
) -> None:
    """For each text, `out` gets the words that stand in a run said before, and the longest stretch in which up to
    `period` words come again and again, both in words.

    `runs` are the hashes of all runs of `length` words."""
    largest = 1
    for text in range(len(bounds) - 1):
        largest = max(largest, run_bounds[text + 1] - run_bounds[text])
    size = 16
    while size < 2 * largest:
        size *= 2
    table, owner = np.zeros(size, np.uint64), np.full(size, -1, np.int64)
    for text in range(len(bounds) - 1):
        covered, until, first = 0, 0, run_bounds[text]
        for at in range(first, run_bounds[text + 1]):
            slot = np.int64(runs[at] & np.uint64(size - 1))
            while owner[slot] == text and table[slot] != runs[at]:
                slot = (slot + 1) & (size - 1)
            if owner[slot] == text:
                start = at - first
                covered += start + length - max(start, until)
                until = start + length
            else:
                owner[slot], table[slot] = text, runs[at]
        out[text, 0] = covered
        # a stretch without a repeated run is shorter than `length` words and its first round
        out[text, 1] = _stretch(words[bounds[text] : bounds[text + 1]], period) if covered else 0


@_compiled
def _stretch(words: Array, period: int) -> int:
    """Length of the longest stretch whose words are each equal to the one `p` before, of at least four rounds."""
    longest = 0
    for p in range(1, min(period, len(words) // 2) + 1):
        run = 0
        for at in range(p, len(words)):
            run = run + 1 if words[at] == words[at - p] else 0
            if run + p > longest and run >= 3 * p:
                longest = run + p
    return longest


@_compiled
def repeated_turns(turns: Array, bounds: Array, out: Array) -> None:
    """For each row, `out` gets: turns that count, those equal to an earlier one, the longest run of equal turns, and
    how often a pattern of two or three turns came one after another at most. Turns of hash 0 do nothing, and are left
    out."""
    for row in range(len(bounds) - 1):
        kept = np.empty(bounds[row + 1] - bounds[row], np.uint64)
        n = 0
        for at in range(bounds[row], bounds[row + 1]):
            if turns[at] != 0:
                kept[n] = turns[at]
                n += 1
        again, run, longest, cycles = 0, 0, 0, 0
        for at in range(n):
            for before in range(at):
                if kept[before] == kept[at]:
                    again += 1
                    break
            run = run + 1 if at and kept[at] == kept[at - 1] else 1
            longest = max(longest, run)
        for p in range(2, 4):
            same, plain = 0, 0
            for at in range(p, n):
                same = same + 1 if kept[at] == kept[at - p] else 0
                plain = plain + 1 if kept[at] == kept[at - 1] else 0
                if plain < p - 1 and same >= p:  # a run of equal turns is no pattern
                    cycles = max(cycles, (same + p) // p)
        out[row, 0], out[row, 1], out[row, 2], out[row, 3] = n, again, longest, cycles
