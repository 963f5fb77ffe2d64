"""Locks on files that all processes and threads of this machine heed; who dies lets go."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO

_LOOK = 0.2
"""Seconds between two tries at a lock that another has: nobody may hold one of a loop's threads by waiting."""


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """One at a time: wait for the lock on the file `path`, which is made if need be, and hold it."""
    with _locked(path, fcntl.LOCK_EX, make=True):
        yield


@asynccontextmanager
async def awaited_turn(path: Path) -> AsyncIterator[None]:
    """The same, for who must not block."""
    while True:
        try:
            file = _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB, make=True)
            break
        except BlockingIOError:
            await asyncio.sleep(_LOOK)
    with file:
        yield


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock together with others, so that nobody is `alone`; waits while somebody is. Raises
    FileNotFoundError where the folder is not there."""
    with _locked(path, fcntl.LOCK_SH):
        yield


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock without any other, and without waiting. Raises BlockingIOError where somebody holds it,
    FileNotFoundError as `shared`."""
    with _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB):
        yield


def _locked(path: Path, how: int, *, make: bool = False) -> IO[bytes]:
    """The file, with the lock on it: the one that lies there now, also where another was deleted while we waited.
    `make`: its folder, too."""
    while True:
        if make:
            with suppress(FileExistsError):  # raised also for a folder that goes in the same moment
                path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = path.open("ab")
        except FileNotFoundError:
            if make:  # the folder went in between
                continue
            raise
        try:
            fcntl.flock(file, how)
        except BaseException:
            file.close()
            raise
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()
