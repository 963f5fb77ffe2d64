"""JSON lines, streamed into a file that appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from datafactory.errors import StorageError, boundary
from datafactory.whole import whole


def write(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write one object a line, in the order given, and say how many. Raises StorageError.

    Text is UTF-8 as it is; half a surrogate pair, which UTF-8 cannot hold, becomes ``?``.
    """
    count = 0
    with whole(path) as draft, draft.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        for row in rows:
            line = json.dumps(row, ensure_ascii=False) + "\n"
            with boundary(StorageError, f"writing {path.name}"):
                file.write(line)
            count += 1
        with boundary(StorageError, f"writing {path.name}"):
            file.flush()
    return count
