"""Files that appear whole or not at all, and stay after a power cut."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datafactory.errors import StorageError, boundary


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path to write to; on success the file there takes the place of `path`, synced, else it is gone.

    Raises StorageError for faults of its own; what the block raises passes as it is.
    """
    with boundary(StorageError, f"writing {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield draft
        with boundary(StorageError, f"writing {path}"):
            sync(draft)
            draft.replace(path)
            sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Bring a file's content, or a folder's names (what was created or renamed in it), to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
