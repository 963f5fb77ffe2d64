"""Reads rows in batches, on all processors: their sketches first, and later the sets of those that are wanted."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from datafactory.local import CORES
from filters.duplicates.releases import COLUMN, On
from filters.duplicates.sketches import SIZE, distinct, sketch
from filters.shingles import Hashes, said, shingles, words

if TYPE_CHECKING:
    import polars as pl

    Array = np.ndarray[Any, Any]

BATCH = 512
"""Rows read at a time."""
Made = TypeVar("Made")


@dataclass(frozen=True)
class Table:
    """Some of the rows that are compared: where they lie, and the numbers that they have among all."""

    rows: pl.LazyFrame
    numbers: Array
    """int64, one for each row in the table's order; -1: it takes no part."""


@dataclass(frozen=True)
class Reader:
    """What of a row is compared."""

    on: On
    length: int
    """Words of a shingle."""

    def sketches(self, tables: Sequence[Table], total: int) -> tuple[Array, Array]:
        """The sketches of all rows, by number (uint16, `total` x SIZE), and how many shingles each has."""
        made, counts = np.zeros((total, SIZE), np.uint16), np.zeros(total, np.int64)

        def work(texts: pl.Series, numbers: Array) -> None:
            found = self._shingles(texts)
            drawn = np.empty((len(texts), SIZE), np.uint16)
            sketch(found.values, found.bounds, drawn)
            part = numbers >= 0
            made[numbers[part]], counts[numbers[part]] = drawn[part], np.diff(found.bounds)[part]

        for _ in self._each(tables, work):
            pass
        return made, counts

    @contextmanager
    def sets(self, tables: Sequence[Table], wanted: Array) -> Iterator[Sets]:
        """The sets of the rows that have these numbers (rising), in a nameless temporary file."""
        places, sizes = np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.int64)

        def work(texts: pl.Series, numbers: Array) -> tuple[Array, Array, Array]:
            at = np.minimum(np.searchsorted(wanted, numbers), len(wanted) - 1)
            chosen = np.flatnonzero((wanted[at] == numbers) & (numbers >= 0)) if len(wanted) else np.empty(0, np.int64)
            found = self._shingles(texts.gather(chosen))
            values, ends = np.empty(len(found.values), np.uint64), np.zeros(len(chosen) + 1, np.int64)
            return values[: distinct(found.values, found.bounds, values, ends)], ends, at[chosen]

        with tempfile.TemporaryFile(buffering=0) as file:
            written = 0
            for values, ends, at in self._each(tables, work):
                places[at], sizes[at] = written + ends[:-1] * 8, np.diff(ends)
                file.write(values.tobytes())
                written += values.nbytes
            yield Sets(file.fileno(), places, sizes)

    def _shingles(self, texts: pl.Series) -> Hashes:
        if self.on == "prompt":
            return shingles(words(texts), self.length)
        return shingles(said(texts, {"assistant"}) if self.on == "trajectory" else said(texts), self.length)

    def _each(self, tables: Sequence[Table], work: Callable[[pl.Series, Array], Made]) -> Iterator[Made]:
        """What `work` makes of each batch, in order; as many batches are in memory as there are processors, and one."""
        column = COLUMN[self.on]
        with ThreadPoolExecutor(CORES) as pool:
            waiting: deque[Future[Made]] = deque()
            for table in tables:
                at = 0
                for batch in table.rows.select(column).collect_batches(chunk_size=BATCH, maintain_order=True):
                    waiting.append(pool.submit(work, batch[column], table.numbers[at : at + batch.height]))
                    at += batch.height
                    if len(waiting) > CORES:
                        yield waiting.popleft().result()
                if at != len(table.numbers):
                    raise RuntimeError(f"{len(table.numbers)} rows were there at first, and {at} later")
            while waiting:
                yield waiting.popleft().result()


@dataclass(frozen=True)
class Sets:
    """Sets of shingles on disk."""

    file: int
    places: Array
    sizes: Array

    def of(self, row: int) -> Array:
        """The hashes of one set, rising."""
        return np.frombuffer(os.pread(self.file, int(self.sizes[row]) * 8, int(self.places[row])), np.uint64)
