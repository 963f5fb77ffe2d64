"""JSON lines, streamed into a file that appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datafactory.errors import StorageError, boundary
from datafactory.whole import whole


def write(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write one object a line, in the order given, and say how many. Raises StorageError; see `writing`."""
    count = 0
    with writing(path) as put:
        for row in rows:
            put(row)
            count += 1
    return count


@contextmanager
def writing(path: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A function that writes one object a line; the file is there once the block ends without an error.

    Text is UTF-8 as it is; half a surrogate pair, which UTF-8 cannot hold, becomes ``?``. Raises StorageError.
    """
    with whole(path) as draft, draft.open("w", encoding="utf-8", errors="replace", newline="\n") as file:

        def put(row: Mapping[str, Any]) -> None:
            line = json.dumps(row, ensure_ascii=False) + "\n"
            with boundary(StorageError, f"writing {path.name}"):
                file.write(line)

        yield put
        with boundary(StorageError, f"writing {path.name}"):
            file.flush()
