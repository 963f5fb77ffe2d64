"""Files that appear whole or not at all, and stay after a power cut."""

from __future__ import annotations

import errno
import os
import uuid
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


def make_once(path: Path, text: str) -> bool:
    """Make a file with this text, whole, unless there is one: then False. Of several processes, on several hosts that
    share the disk, one makes it. Raises StorageError."""
    with boundary(StorageError, f"writing {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
        try:
            draft.write_text(text, encoding="utf-8")
            sync(draft)
            _name_once(draft, path, text)
            sync(path.parent)
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
    return True


def _name_once(draft: Path, path: Path, text: str) -> None:
    """A second name for finished content, which a disk gives once; where it knows no second names, a new file."""
    try:
        os.link(draft, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
