"""Chooses among many sites, so that files, functions and operators all get their share."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from generators.swe.mutations.site import Site


def in_turn(sites: Sequence[Site], rng: Random) -> Iterator[Site]:
    """All `sites`, in an order whose every beginning is spread.

    Each time the operator that was used least is next, and of its sites one in the function that was used least, in
    the file that was used least for the number of functions that it has. Ties are drawn. The same sites (in whatever
    order) and the same state of `rng` give the same order.
    """
    ordered = sorted(sites, key=lambda site: (site.path, site.edits, site.operator))
    ties = [rng.random() for _ in ordered]
    functions, files, operators = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    sizes = Counter(path for path, _ in {site.place for site in ordered})

    def entry(index: int) -> tuple[int, float, float, int]:
        site = ordered[index]
        return functions[site.place], files[site.path] / sizes[site.path], ties[index], index

    heaps: dict[str, list[tuple[int, float, float, int]]] = {}
    for index, site in enumerate(ordered):
        heaps.setdefault(site.operator, []).append(entry(index))
    for heap in heaps.values():
        heapq.heapify(heap)
    turns = {name: rng.random() for name in sorted(heaps)}
    order = [(0, turns[name], name) for name in heaps]
    heapq.heapify(order)
    while order:
        name = order[0][2]
        heap = heaps[name]
        while (fresh := entry(heap[0][3])) != heap[0]:  # counts only grow, so an entry is at worst too early
            heapq.heapreplace(heap, fresh)
        site = ordered[heapq.heappop(heap)[3]]
        functions[site.place] += 1
        files[site.path] += 1
        operators[name] += 1
        if heap:
            heapq.heapreplace(order, (operators[name], turns[name], name))
        else:
            heapq.heappop(order)
        yield site


def pick(sites: Sequence[Site], rng: Random, count: int, *, per_function: int | None = None) -> list[Site]:
    """The first `count` of `in_turn`, at most `per_function` in one function (top-level code of a file is one, too);
    fewer where there are not so many."""
    taken: list[Site] = []
    used = Counter[tuple[str, str]]()
    for site in in_turn(sites, rng):
        if len(taken) >= count:
            break
        if per_function is None or used[site.place] < per_function:
            used[site.place] += 1
            taken.append(site)
    return taken
