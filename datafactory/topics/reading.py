"""The prompts of a table, one for each task, read in batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory.errors import DataError
from datafactory.table import scan

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Indices = npt.NDArray[np.int64]

BATCH = 20_000
"""Rows that are read at once: 40 MB of text where prompts are cut at 2,000 characters."""


@dataclass(frozen=True)
class Prompts:
    """The tasks of a table by their ids, in the order of these: the order of the rows moves nothing."""

    path: Path
    chars: int
    """Characters of a prompt that count, from its start."""

    @cached_property
    def _firsts(self) -> Any:
        import polars as pl

        rows = scan(self.path).select("task_id").with_row_index("row")
        return (
            rows.group_by("task_id").agg(pl.col("row").min().cast(pl.Int64)).sort("task_id").collect(engine="streaming")
        )

    @cached_property
    def ids(self) -> list[str]:
        """Ids of the tasks, sorted. Raises DataError where a row has none."""
        ids: list[str] = self._firsts["task_id"].to_list()
        if None in ids[:1]:
            raise DataError(f"{self.path}: a row has no task_id")
        return ids

    def __len__(self) -> int:
        return len(self.ids)

    def batches(self, wanted: Indices | None = None) -> Iterator[tuple[Indices, list[str]]]:
        """Numbers of tasks and their texts, a batch of rows at a time, in the table's order; of the tasks that are
        `wanted` alone. A task's text is that of its first row."""
        import numpy as np
        import polars as pl

        first = self._firsts["row"].to_numpy()
        place = np.full(int(first.max(initial=-1)) + 1, -1, dtype=np.int64)
        chosen = np.arange(len(first)) if wanted is None else wanted
        place[first[chosen]] = chosen
        texts = scan(self.path).select(pl.col("instruction").fill_null("").str.slice(0, self.chars))
        at = 0
        for batch in texts.collect_batches(chunk_size=BATCH, maintain_order=True):
            numbers = place[at : at + batch.height]
            at += batch.height
            here = np.flatnonzero(numbers >= 0)
            if len(here):
                yield numbers[here], batch["instruction"].gather(here).to_list()

    def texts(self, wanted: Indices) -> list[str]:
        """The texts of some tasks, in the order of `wanted`."""
        found: dict[int, str] = {}
        for numbers, texts in self.batches(wanted):
            found.update(zip(numbers.tolist(), texts, strict=True))
        return [found[number] for number in wanted.tolist()]

    def drawn(self, count: int, *, seed: int) -> Indices:
        """Numbers of `count` tasks, sorted; drawn by SHA-256 of seed and id, so that a new task moves few others."""
        import numpy as np

        if count >= len(self):
            return np.arange(len(self))
        return np.sort(np.argsort(_draws(self.ids, seed), kind="stable")[:count])


def _draws(ids: Sequence[str], seed: int) -> npt.NDArray[np.uint64]:
    import numpy as np

    start = f"cluster/{seed}/".encode()
    digests = b"".join(hashlib.sha256(start + id.encode()).digest()[:8] for id in ids)
    return np.frombuffer(digests, dtype=">u8")
