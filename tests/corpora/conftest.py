"""What the tests of corpora share: a state folder of their own, and pages as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from datafactory.corpora import Corpus, stock
from datafactory.corpora.sources.jsonl import Jsonl

Write = Callable[[str, Iterable[Any]], Path]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where corpora of this test are kept."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "datafactory" / "corpora"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write rows, as JSON, or lines as they are, to a file."""

    def made(name: str, rows: Iterable[Any]) -> Path:
        path = tmp_path / name
        lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        path.write_bytes(b"\n".join(lines) + b"\n")
        return path

    return made


@pytest.fixture
def corpus(write: Write) -> Callable[..., Corpus]:
    """A corpus of the rows, stored."""

    def made(*rows: Any, **keys: Any) -> Corpus:
        return stock(Jsonl(files=(write("pages.jsonl", rows),), **keys))

    return made
