"""Which rows may hold something of a benchmark: a quick look at the hashes of all, before the slow one at few."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from filters.contamination.items import Item
from filters.shingles import Hashes, shingles, words

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

BITS = 24
"""Of the map that is asked first: 2 MiB, where a hundred thousand runs leave 0.6 % of it set."""
NAMELESS = np.uint64(0x9D39247E33776D41)
"""What every name that a program may choose is taken for."""
NUMBERS = 1000
"""Numbers below it are kept as they are in programs."""


class Runs:
    """The runs of some texts, all of one length, as a set of hashes with their owners."""

    def __init__(self, hashes: Sequence[tuple[int, Array]], most_owners: int) -> None:
        """`hashes`: for each owner its runs. A run of more than `most_owners` owners is boilerplate, and left out."""
        owners = [np.full(len(each), owner, np.int64) for owner, each in hashes]
        every = np.concatenate([each for _, each in hashes]) if hashes else np.zeros(0, np.uint64)
        whose = np.concatenate(owners) if owners else np.zeros(0, np.int64)
        pairs = np.unique(np.stack([every.view(np.int64), whose], axis=1), axis=0) if len(every) else None
        keys = pairs[:, 0].copy().view(np.uint64) if pairs is not None else every
        whose = pairs[:, 1] if pairs is not None else whose
        _, place, count = np.unique(keys, return_inverse=True, return_counts=True)
        rare = count[place] <= most_owners
        order = np.argsort(keys[rare], kind="stable")
        self.keys, self.owners = keys[rare][order], whose[rare][order]
        self._map = np.zeros(1 << (BITS - 3), np.uint8)
        at = self.keys >> np.uint64(64 - BITS)
        np.bitwise_or.at(
            self._map, (at >> np.uint64(3)).astype(np.int64), np.uint8(1) << (at & np.uint64(7)).astype(np.uint8)
        )

    def texts(self, of: Hashes) -> Array:
        """Numbers of the texts that have one of the runs, rising."""
        if not len(self.keys) or not len(of.values):
            return np.zeros(0, np.int64)
        at = of.values >> np.uint64(64 - BITS)
        bits = self._map[(at >> np.uint64(3)).astype(np.int64)] >> (at & np.uint64(7)).astype(np.uint8)
        maybe = np.flatnonzero(bits & np.uint8(1))
        places = np.searchsorted(self.keys, of.values[maybe]).clip(max=len(self.keys) - 1)
        sure = maybe[self.keys[places] == of.values[maybe]]
        found: Array = np.unique(np.searchsorted(of.bounds, sure, side="right") - 1)
        return found

    def whose(self, runs: Array) -> Array:
        """The owners of some runs, each once."""
        low, high = np.searchsorted(self.keys, runs, side="left"), np.searchsorted(self.keys, runs, side="right")
        every = [self.owners[start:end] for start, end in zip(low, high, strict=True) if end > start]
        return np.unique(np.concatenate(every)) if every else np.zeros(0, np.int64)


class Index:
    """Some benchmarks' items: their runs of words, their short texts, and their programs without names."""

    def __init__(self, items: Sequence[Item], *, length: int, least: int, program: int, most_owners: int) -> None:
        """`length`: words of a run; `least`: of a text that is shorter, and looked for whole; `program`: of a program
        whose names are disregarded."""
        import polars as pl

        self.items, self.length, self.least, self.program = list(items), length, least, program
        self.hashes = words(pl.Series([item.text for item in items], dtype=pl.String))
        counts = np.diff(self.hashes.bounds)
        long = [(number, self._runs(number, length)) for number in np.flatnonzero(counts >= length).tolist()]
        short = np.flatnonzero((counts >= least) & (counts < length)).tolist()
        bare = nameless(self.hashes)
        enough = (np.diff(bare.bounds) >= program) & (counts >= length)
        code = [n for n in np.flatnonzero(enough).tolist() if items[n].code]
        self.long = Runs(long, most_owners)
        self.short = Runs([(number, self._runs(number, least)) for number in short], most_owners)
        # Programs share the shapes of their parts, and are held whole against what looks like them.
        self.code = Runs([(n, runs_of(bare.of(n), program)) for n in code], len(items))
        self.named_only = [item for number, item in enumerate(items) if item.code and not enough[number]]
        """Programs that are too short to be told by their shape."""
        self.unseen = [item for item, count in zip(items, counts, strict=True) if count < least]
        """Texts that are too short to be looked for."""

    def _runs(self, number: int, length: int) -> Array:
        return runs_of(self.hashes.of(number), length)

    def suspects(self, said: Hashes) -> list[int]:
        """Numbers of the texts that may hold something of an item."""
        found = [self.long.texts(shingles(said, self.length))]
        if len(self.short.keys):
            found.append(self.short.texts(shingles(said, self.least)))
        if len(self.code.keys):
            found.append(self.code.texts(shingles(nameless(said), self.program)))
        return [int(number) for number in np.unique(np.concatenate(found))]


def runs_of(values: Array, length: int) -> Array:
    """Hashes of the runs of one text's words; none where it has fewer."""
    if len(values) < length:
        return np.zeros(0, np.uint64)
    return shingles(Hashes(values, np.array([0, len(values)])), length).values


def nameless(of: Hashes) -> Hashes:
    """Words of programs, with one hash in the place of all names in a row that the program could have chosen otherwise:
    `first_word` is two words, and `word` is one."""
    kept = _kept()
    places = np.searchsorted(kept, of.values).clip(max=len(kept) - 1)
    named = kept[places] != of.values
    again = np.zeros(len(named), bool)
    again[1:] = named[1:] & named[:-1]
    again[of.bounds[:-1][of.bounds[:-1] < len(again)]] = False
    gone = np.concatenate((np.zeros(1, np.int64), np.cumsum(again)))
    return Hashes(np.where(named, NAMELESS, of.values)[~again], of.bounds - gone[of.bounds])


_sorted: list[Any] = []


def _kept() -> Array:
    """Hashes of keywords and small numbers, sorted. Built-in names are parts of too many others: `max_number`."""
    if not _sorted:
        import polars as pl

        own = [*keyword.kwlist, *(str(number) for number in range(NUMBERS))]
        _sorted.append(np.sort(words(pl.Series(own)).values))
    made: Array = _sorted[0]
    return made
