"""An index for BM25 is built in two passes over the corpus's words; memory holds the vocabulary and one chunk."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datafactory.corpora.retrievers import kernels
from datafactory.corpora.retrievers.words import Words

if TYPE_CHECKING:
    from datafactory.corpora.corpus import Corpus

    Array = np.ndarray[Any, Any]

_CHUNK = 1 << 21
"""Terms that are counted at once."""
_KEPT = 1 << 20
"""Words whose terms' numbers are remembered."""


def mark(term: str) -> int:
    """64 bits of a term's BLAKE2b: by it a term is looked up. Among ten million terms the chance that any two share
    one is three in a million."""
    return int.from_bytes(blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def build(corpus: Corpus, words: Words, folder: Path, *, k1: float, b: float) -> None:
    """Write `marks.npy` (of the terms, sorted), `starts.npy`, `passages.npy` and `weights.npy` (the postings of term n
    are those from `starts[n]` to `starts[n + 1]`) and `pages.npy` (the page of each passage)."""
    counting = Counting(words)
    entries = folder / "entries.part"
    with entries.open("wb") as out:
        for terms, counts in counting.chunks(corpus.passages.texts()):
            terms.tofile(out)
            counts.tofile(out)
    marks = np.array([mark(term) for term in counting.terms], dtype=np.uint64)
    order = np.argsort(marks, kind="stable")
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    held = counting.held[: len(order)][order]
    starts = np.zeros(len(order) + 1, dtype=np.int64)
    np.cumsum(held, out=starts[1:])
    np.save(folder / "marks.npy", marks[order])
    np.save(folder / "starts.npy", starts)
    bounds = corpus.passages.starts
    np.save(folder / "pages.npy", np.repeat(np.arange(len(bounds) - 1, dtype=np.int32), np.diff(bounds)))

    lengths = np.frombuffer(counting.lengths, dtype=np.int32).astype(np.float64)
    norms = k1 * (1 - b + b * lengths / max(lengths.mean(), 1e-9))
    rarity = np.log1p((len(lengths) - held + 0.5) / (held + 0.5))
    passages = _room(folder / "passages.npy", np.int32, int(starts[-1]))
    weights = _room(folder / "weights.npy", np.float32, int(starts[-1]))
    first, free = 0, starts[:-1].copy()
    with entries.open("rb") as source:
        for sizes in counting.sizes:
            size = int(sizes.sum())
            terms = np.fromfile(source, dtype=np.int32, count=size)
            counts = np.fromfile(source, dtype=np.int32, count=size)
            kernels.post(terms, counts, sizes, first, rank, rarity, norms, (free, passages, weights))
            first += len(sizes)
    entries.unlink()


class Counting:
    """The first pass: which terms there are, in how many passages each is, and how long the passages are."""

    def __init__(self, words: Words) -> None:
        self.terms: dict[str, int] = {}
        """Their numbers, by the order in which they came."""
        self.held = np.zeros(1 << 16, dtype=np.int64)
        """In how many passages each is."""
        self.lengths = array("i")
        """Of the passages, in terms."""
        self.sizes: list[Array] = []
        """How many different terms each passage of a chunk has."""
        self._words = words
        self._known: dict[str, tuple[int, ...]] = {}

    def chunks(self, texts: Iterator[str]) -> Iterator[tuple[Array, Array]]:
        """The different terms of each text and how often each is in it, of many texts at a time."""
        ids, bounds, known = array("i"), array("q", [0]), self._known
        for text in texts:
            for word in self._words.raw(text):
                found = known.get(word)
                ids.extend(self._number(word) if found is None else found)
            self.lengths.append(len(ids) - bounds[-1])
            bounds.append(len(ids))
            if len(ids) >= _CHUNK:
                yield self._counted(ids, bounds)
                ids, bounds = array("i"), array("q", [0])
        if len(bounds) > 1:
            yield self._counted(ids, bounds)

    def _number(self, word: str) -> tuple[int, ...]:
        made = tuple(self.terms.setdefault(term, len(self.terms)) for term in self._words.of(word))
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[word] = made
        return made

    def _counted(self, ids: array[int], bounds: array[int]) -> tuple[Array, Array]:
        if len(self.held) < len(self.terms):
            self.held = np.concatenate([self.held, np.zeros(len(self.terms), dtype=np.int64)])
        terms, counts = np.empty(len(ids), dtype=np.int32), np.empty(len(ids), dtype=np.int32)
        sizes = np.empty(len(bounds) - 1, dtype=np.int32)
        numbers, ends = np.frombuffer(ids, dtype=np.int32), np.frombuffer(bounds, dtype=np.int64)
        written = kernels.count(numbers, ends, terms, counts, sizes, self.held)
        self.sizes.append(sizes)
        return terms[:written], counts[:written]


def _room(path: Path, kind: Any, size: int) -> Array:
    if not size:  # nothing can be mapped
        np.save(path, np.empty(0, dtype=kind))
        return np.empty(0, dtype=kind)
    return np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=(size,))
