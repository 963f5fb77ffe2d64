"""Data within a page: JSON, compressed and in base64, which no parser of HTML can take for markup."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

CHUNK = 1_000_000
"""Characters of JSON in one chunk: opened in some ten milliseconds, compressed nearly as well as the whole."""
LEVEL = 6
"""Of gzip."""


def pack(value: Any) -> str:
    """The value as text of `A-Z a-z 0-9 + / =` alone; the same value always gives the same text."""
    return _packed(json.dumps(value, separators=(",", ":")))


def _packed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode("ascii"), LEVEL, mtime=0)).decode()


class Chunks:
    """Puts values into chunks, in order."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._open: list[str] = []
        self._size = 0

    def add(self, value: Any) -> tuple[int, int]:
        """Add one; gives the number of its chunk and its place there."""
        text = json.dumps(value, separators=(",", ":"))
        if self._open and self._size + len(text) > CHUNK:
            self._close()
        self._open.append(text)
        self._size += len(text)
        return len(self._done), len(self._open) - 1

    def done(self) -> list[str]:
        """All chunks, packed: each a list of values."""
        if self._open:
            self._close()
        return self._done

    def _close(self) -> None:
        self._done.append(_packed(f"[{','.join(self._open)}]"))
        self._open, self._size = [], 0
