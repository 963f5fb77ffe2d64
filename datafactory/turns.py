"""One at a time, of all processes and threads of this machine; who dies lets go."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

_LOOK = 0.2
"""Seconds between two tries at a lock that another has: nobody may hold one of a loop's threads by waiting."""


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """Wait for the lock on the file `path`, which is made if need be, and hold it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@asynccontextmanager
async def awaited_turn(path: Path) -> AsyncIterator[None]:
    """The same, for who must not block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_LOOK)
        yield
