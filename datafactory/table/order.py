"""Sorting more than fits in memory."""

from __future__ import annotations

import heapq
import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

Item = TypeVar("Item")
Entry = tuple[Any, int, bytes]

HELD = 64 << 20
"""Bytes of pickled items that are kept in memory; what is more goes to temporary files."""


def ordered(items: Iterable[Item], key: Callable[[Item], Any], folder: Path, held: int = HELD) -> Iterator[Item]:
    """The items by rising key, equal keys as they came; spills to nameless files in `folder`."""
    with ExitStack() as files:
        runs: list[Iterator[Entry]] = []
        entries: list[Entry] = []
        size = 0
        for number, item in enumerate(items):
            blob = pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL)
            entries.append((key(item), number, blob))
            size += len(blob)
            if size >= held:
                runs.append(_spill(sorted(entries), files.enter_context(TemporaryFile(dir=folder))))
                entries, size = [], 0
        entries.sort()
        for _, _, blob in heapq.merge(*runs, entries):
            yield pickle.loads(blob)


def _spill(entries: list[Entry], file: IO[bytes]) -> Iterator[Entry]:
    for entry in entries:
        pickle.dump(entry, file)
    file.seek(0)
    return _read(file, len(entries))


def _read(file: IO[bytes], count: int) -> Iterator[Entry]:
    for _ in range(count):
        yield pickle.load(file)
