"""Who uses a layer: held by whoever opens boxes on it, with a note of when one was opened last."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from datafactory import turns
from datafactory.errors import RunError
from datafactory.layers.layer import home

_MARK = ".use"
"""Locked together by all who hold the layer; its time is that of the last use."""


@contextmanager
def hold(name: str) -> Iterator[None]:
    """Nobody can remove the layer meanwhile; it lasts no longer than this process. Whether there is one is for `find`
    to say, afterwards. Raises ValueError as `home`."""
    with ExitStack() as stack:
        with contextlib.suppress(FileNotFoundError):
            stack.enter_context(turns.shared(home(name) / _MARK))
        yield


def note_use(name: str) -> None:
    """Note that it was used now, where it is held."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(home(name) / _MARK)


@contextmanager
def unheld(name: str) -> Iterator[None]:
    """Nobody can hold the layer meanwhile. Raises RunError where somebody does, FileNotFoundError where
    nothing is there."""
    try:
        with turns.alone(home(name) / _MARK):
            yield
    except BlockingIOError as error:
        raise RunError(
            f"layer {name!r} is in use: by a run, by whoever has boxes of it open, or who removes it"
        ) from error


def is_held(place: Path) -> bool:
    """Whether somebody holds the layer of that folder."""
    if not (place / _MARK).exists():
        return False
    try:
        with turns.alone(place / _MARK):
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


def last_use(place: Path) -> float:
    """When a box was opened on it last, in seconds since 1970; 0: never."""
    with contextlib.suppress(FileNotFoundError):
        return (place / _MARK).stat().st_mtime
    return 0.0
