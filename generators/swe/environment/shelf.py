"""Environments on file: one is made once, however many processes ask for it."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import ValidationError

from datafactory.whole import whole
from generators.swe.environment.record import Environment

_LOOK = 0.2
"""Seconds between two tries at a lock that another has: nobody may hold one of the loop's threads by waiting."""


@asynccontextmanager
async def alone(path: Path) -> AsyncIterator[None]:
    """Nobody else, of this process or another, is in here with the same `path`; a process that dies lets go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_LOOK)
        yield


def read(path: Path) -> Environment | None:
    """What is on file there; None: nothing, or something that another version of this wrote."""
    try:
        return Environment.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write(path: Path, environment: Environment) -> None:
    """Put it on file. Raises StorageError."""
    with whole(path) as draft:
        draft.write_text(environment.model_dump_json())
