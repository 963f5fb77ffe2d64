"""Several forks of one session that share its tests: for suites that wait more than they compute."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

_PIECES = 12
"""Pieces of the suite for each fork: small enough that none is left with all the slow tests."""
_MOST = 255
"""Pieces in all: each is one byte in a pipe that the forks read from."""


def share(session: Any, workers: int, begin: Callable[[], None], run: Callable[[Any], object]) -> bool:
    """Run the items of `session`, in consecutive pieces, in `workers` forks of this process; each calls `begin` once
    and `run` for its pieces. Whether all forks came to their end."""
    items = list(session.items)
    count = max(1, min(_PIECES * workers, _MOST, len(items)))
    pieces = [items[len(items) * i // count : len(items) * (i + 1) // count] for i in range(count)]
    queue, fill = os.pipe()
    os.write(fill, bytes(range(count)))
    os.close(fill)
    forks = [_fork(session, queue, pieces, begin, run) for _ in range(workers)]
    os.close(queue)
    ended = [os.waitpid(pid, 0)[1] for pid in forks]
    return not any(ended)


def _fork(
    session: Any, queue: int, pieces: list[list[Any]], begin: Callable[[], None], run: Callable[[Any], object]
) -> int:
    pid = os.fork()
    if pid:
        return pid
    status, own = 70, os.getpid()
    try:
        begin()
        capture = session.config.pluginmanager.getplugin("capturemanager")
        if capture is not None:  # the files that output is caught in are of this process's parent, and of its siblings
            capture.stop_global_capturing()
            capture.start_global_capturing()
        while os.getpid() == own and (number := os.read(queue, 1)):  # a test may fork, and come back twice
            session.items[:] = pieces[number[0]]
            run(session)
        status = 0
    finally:  # whatever a test raised must not go back to what the parent does
        if status:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(status)
