"""From a list of passages by score to the ones that are shown: of each page only so many, none of barred pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from datafactory.corpora.retrievers.retriever import Ranking

if TYPE_CHECKING:
    from datafactory.corpora.retrievers.retriever import Mask

_FIRST = 2
"""So many times as many passages as wanted are looked at first: several may be of one page."""

Look = Callable[[int], tuple[Sequence[int], Sequence[float]]]
"""The best so many passages of the whole index and their scores, in any order; fewer: there are no more."""


def settle(look: Look, page: Callable[[int], int], k: int, *, per_page: int, barred: Mask | None) -> Ranking:
    """The best `k`, exactly: looks deeper until those that are not seen can change nothing, equal scores included."""
    depth = k * _FIRST
    while True:
        numbers, scores = look(depth)
        order = sorted(range(len(numbers)), key=lambda at: (-scores[at], numbers[at]))
        kept: Ranking = ([], [])
        held: dict[int, int] = {}
        for at in order:
            of = page(numbers[at])
            if held.get(of, 0) == per_page or (barred is not None and barred[of]):
                continue
            held[of] = held.get(of, 0) + 1
            kept[0].append(int(numbers[at]))
            kept[1].append(float(scores[at]))
            if len(kept[0]) == k:
                break
        if len(numbers) < depth or (len(kept[0]) == k and kept[1][-1] > scores[order[-1]]):
            return kept
        depth *= 4
