"""Which rows could be near-duplicates: those whose sketches share a band, and enough numbers in all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from filters.duplicates.sketches import SIZE, bands, enough, rows_of_bands, shared

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

LOOKED = 256
"""Rows of one band that a row is compared with, the latest: thousands share one where a long text is in all of them."""

_compiled = numba.njit(nogil=True, cache=True, boundscheck=False)


@_compiled
def _mark(keys: Array, order: Array, sketches: Array, settled: int, wanted: int, marked: Array, twin: Array) -> None:
    """Mark the rows of one band that have a partner, and among them `twin`s, whose sketch an earlier row has.

    `order`: rows with equal keys next to each other, by rising number, which is changed. What a twin is like, the row
    before it is like as well, so it is compared with no others. Rows under `settled` are not compared among
    themselves.
    """
    begin = 0
    while begin < len(order):
        end, held = begin, begin
        key = keys[order[begin]]
        while end < len(order) and keys[order[end]] == key:
            row = order[end]
            end += 1
            if twin[row]:
                continue
            if row >= settled:
                for at in range(held - 1, max(begin, held - LOOKED) - 1, -1):
                    other = order[at]
                    if marked[row] and marked[other]:
                        continue
                    same = shared(sketches[row], sketches[other])
                    if same >= wanted:
                        marked[row] = marked[other] = True
                    if same == SIZE:
                        twin[row] = True
                        break
            if not twin[row]:
                order[held] = row
                held += 1
        begin = end


def marked(sketches: Array, groups: Array, present: Array, settled: int, threshold: float) -> Array:
    """Numbers, rising, of the rows that seem to have a near-duplicate within their group.

    `present`: numbers of the rows that are not empty; the first `settled` rows are of earlier releases.
    """
    width, wanted = rows_of_bands(threshold), enough(threshold)
    found, twin = np.zeros(len(sketches), np.bool_), np.zeros(len(sketches), np.bool_)
    keys = np.empty(len(sketches), np.uint64)
    for first in range(0, SIZE - width + 1, width):
        bands(sketches, groups, first, width, keys)
        order = present[np.argsort(keys[present], kind="stable")]
        _mark(keys, order, sketches, settled, wanted, found, twin)
    return np.flatnonzero(found)


@_compiled
def _alike(row: int, sketches: Array, table: Any, wanted: int, seen: Array, found: Array, counts: Array) -> int:
    """Fill `found` with the kept rows that share a band and enough numbers with `row`; how many there are."""
    places, heads, before = table
    n = 0
    for band in range(places.shape[0]):
        at = heads[places[band, row]]
        looked = 0
        while at >= 0 and looked < LOOKED:
            looked += 1
            if seen[at] != row:
                seen[at] = row
                same = shared(sketches[row], sketches[at])
                if same >= wanted:
                    found[n], counts[n] = at, same
                    n += 1
            at = before[band, at]
    return n


@_compiled
def _keep(row: int, table: Any) -> None:
    places, heads, before = table
    for band in range(places.shape[0]):
        before[band, row] = heads[places[band, row]]
        heads[places[band, row]] = row


class Kept:
    """The rows that stay, found again by what they share with another row."""

    def __init__(self, sketches: Array, groups: Array, threshold: float) -> None:
        width, self._wanted = rows_of_bands(threshold), enough(threshold)
        self._sketches, rows, self._bands = sketches, len(sketches), SIZE // width
        places, filled = np.empty((self._bands, rows), np.int32), 0
        keys = np.empty(rows, np.uint64)
        for band in range(self._bands):
            bands(sketches, groups, band * width, width, keys)
            different, numbers = np.unique(keys, return_inverse=True)
            places[band] = numbers + filled
            filled += len(different)
        self._table = (places, np.full(filled, -1, np.int32), np.empty((self._bands, rows), np.int32))
        self._seen = np.full(rows, -1, np.int32)
        self._found, self._counts = (np.empty(min(rows, self._bands * LOOKED), np.int32) for _ in range(2))

    def keep(self, row: int) -> None:
        """Later rows are compared with this one."""
        _keep(row, self._table)

    def like(self, row: int) -> Array:
        """The kept rows that may be near-duplicates of this one, those that seem nearest first."""
        n = _alike(row, self._sketches, self._table, self._wanted, self._seen, self._found, self._counts)
        found, counts = self._found[:n], self._counts[:n]
        return found[np.lexsort((found, -counts))]
