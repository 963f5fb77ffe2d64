"""The inner loops of scoring, compiled by numba; none of them holds the interpreter's lock.

BM25's scores are summed as bm25s does it (arXiv 2407.03618, section 3): each posting carries its score, made when the
index was built. What differs is the reading of the sums: passages lie in blocks of 64, a block whose best sum is too
low is passed over, and of one page only so many are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

BLOCK = 6
"""Passages of a block, as a power of two."""

_compiled = numba.njit(nogil=True, cache=True, boundscheck=False)


def _put(number: int, score: float, filled: int, per_page: int, pages: Array, barred: Array, tops: Any) -> int:
    """Put a passage where it belongs among the best so far; passages must come by number."""
    numbers, scores = tops
    if filled == len(numbers) and score <= scores[filled - 1]:
        return filled
    page = pages[number]
    if len(barred) and barred[page]:
        return filled
    same, at = 0, -1
    for i in range(filled):
        if pages[numbers[i]] == page:
            same, at = same + 1, i
    if same >= per_page:
        if score <= scores[at]:
            return filled
    elif filled < len(numbers):
        at = filled
        filled += 1
    else:
        at = filled - 1
    while at > 0 and scores[at - 1] < score:
        numbers[at], scores[at] = numbers[at - 1], scores[at - 1]
        at -= 1
    numbers[at], scores[at] = number, score
    return filled


put: Any = _compiled(_put)


def _sum_and_pick(
    terms: Array, bounds: Array, postings: Any, pages: Array, barred: Array, per_page: int, room: Any, found: Any
) -> None:
    """BM25 for queries whose terms are `terms[bounds[i]:bounds[i + 1]]`.

    `postings`: start of each term's postings, their passages and their scores. `room`: a float32 for each passage and
    one for each block, all zero, which they are again afterwards. `found`: what is filled in, passages and scores
    (queries x k) and how many there are (queries).
    """
    starts, passages, weights = postings
    sums, peaks = room
    numbers, scores, counts = found
    for query in range(len(bounds) - 1):
        for term in terms[bounds[query] : bounds[query + 1]]:
            held = passages[starts[term] : starts[term + 1]]
            worth = weights[starts[term] : starts[term + 1]]
            for at in range(len(held)):
                passage = np.uint32(held[at])  # of a number that may be negative numba asks at each access
                total = sums[passage] + worth[at]
                sums[passage] = total
                peaks[passage >> np.uint32(BLOCK)] = max(peaks[passage >> np.uint32(BLOCK)], total)
        filled, low = 0, np.float32(0)
        tops = (numbers[query], scores[query])
        for block in range(len(peaks)):
            if peaks[block] == 0:
                continue
            first, last = block << BLOCK, min((block + 1) << BLOCK, len(pages))
            if peaks[block] > low:
                for number in range(first, last):
                    if sums[number] > low:
                        filled = put(number, sums[number], filled, per_page, pages, barred, tops)
                        if filled == numbers.shape[1]:
                            low = scores[query, filled - 1]
            sums[first:last] = 0
            peaks[block] = 0
        counts[query] = filled


sum_and_pick: Any = _compiled(_sum_and_pick)


def _pick(sums: Array, first: int, pages: Array, barred: Array, per_page: int, found: Any) -> None:
    """The best of scores (queries x passages from number `first` on), added to what was found before."""
    numbers, scores, counts = found
    for query in range(len(sums)):
        filled = counts[query]
        tops = (numbers[query], scores[query])
        for at in range(sums.shape[1]):
            if filled < numbers.shape[1] or sums[query, at] > scores[query, filled - 1]:
                filled = put(first + at, sums[query, at], filled, per_page, pages, barred, tops)
        counts[query] = filled


pick: Any = _compiled(_pick)


def _count(ids: Array, bounds: Array, terms: Array, counts: Array, sizes: Array, held: Array) -> int:
    """For each text, whose terms are `ids[bounds[i]:bounds[i + 1]]`: its different terms and how often each is in it,
    one text after another; `sizes`: how many different ones; `held`: for each term in how many texts it is, added to.
    Gives the number of entries written."""
    written = 0
    for text in range(len(bounds) - 1):
        mine = np.sort(ids[bounds[text] : bounds[text + 1]])
        before = written
        for at in range(len(mine)):
            if at and mine[at] == mine[at - 1]:
                counts[written - 1] += 1
                continue
            terms[written], counts[written] = mine[at], 1
            held[mine[at]] += 1
            written += 1
        sizes[text] = written - before
    return written


count: Any = _compiled(_count)


def _post(
    terms: Array, counts: Array, sizes: Array, first: int, rank: Array, rarity: Array, norms: Array, postings: Any
) -> None:
    """Put the entries of texts from number `first` on where they belong among the postings, each with its score.
    `postings`: where the next posting of each term goes, passages, scores."""
    free, passages, weights = postings
    at = 0
    for text in range(len(sizes)):
        for _ in range(sizes[text]):
            term = rank[terms[at]]
            place = free[term]
            free[term] = place + 1
            passages[place] = first + text
            weights[place] = rarity[term] * (counts[at] / (counts[at] + norms[first + text]))
            at += 1


post: Any = _compiled(_post)
