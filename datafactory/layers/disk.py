"""Room on a disk: looked for before anything large is written, so that nothing breaks off half-way."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datafactory.errors import BoundaryError

SPARE = 1 << 30
"""Bytes that are left free on a disk."""
HELP = "`datafactory layers prune` makes room"
_FULL = (errno.ENOSPC, errno.EDQUOT)


def shortage(at: Path, needed: int, spare: int = SPARE) -> str:
    """How much the disk of `at` has, and what more is needed, in words; empty: there is room. All in bytes."""
    free = shutil.disk_usage(at).free
    return "" if free >= needed + spare else _said(at, free, needed, spare)


@contextmanager
def room(kind: type[BoundaryError], doing: str, at: Path, needed: int) -> Iterator[None]:
    """Raises `kind` unless the disk of `at` has `needed` bytes and `SPARE`; also where it runs full in the block."""
    if short := shortage(at, needed):
        raise kind(f"{doing}: {short}")
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise kind(f"{doing}: {_said(at, shutil.disk_usage(at).free, needed, SPARE)}") from error


def _said(at: Path, free: int, needed: int, spare: int) -> str:
    wanted = f"{_size(needed)} and {_size(spare)} to spare" if needed else f"{_size(spare)} to spare"
    return f"the disk of {at} has {_size(free)} left, and must have {wanted}; {HELP}"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
