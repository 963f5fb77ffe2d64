"""Keeps one server: ends it, with all that it started, when the factory asks or dies. Run as a program; plain Python.

    python -I keeper.py <factory's process number> <grace in seconds> <program> <argument>...

The factory holds the other end of standard input. When that closes (also by `kill -9`), or the factory is no longer
the parent, the server gets SIGTERM, and after the grace everything that descends from it SIGKILL. Orphans of the
server, such as engine cores whose front end crashed, become the keeper's children, so that none is missed.
The exit status is the server's, or 128 and the signal's number.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from pathlib import Path

_PDEATHSIG, _SUBREAPER = 1, 36
"""Of prctl(2)."""
_LOOK = 0.2
"""Seconds between two looks."""
_STUBBORN = 30.0
"""Seconds after which a process that even SIGKILL does not end is left to the kernel."""


class Keeper:
    """The parent of one server."""

    def __init__(self, factory: int, argv: list[str]) -> None:
        self._factory = factory
        self._asked = False
        self._code: int | None = None
        _prctl(_SUBREAPER, 1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask)
        self._server = os.fork()
        if self._server == 0:
            _become(argv)

    def run(self, grace: float) -> int:
        """Wait for the server's end, or bring it about."""
        while not self._over() and not self._wanted(_LOOK):
            pass
        if self._code is None:
            os.kill(self._server, signal.SIGTERM)
            until = time.monotonic() + grace
            while not self._over() and time.monotonic() < until:
                time.sleep(_LOOK / 4)
        self._clear()
        return 137 if self._code is None else self._code

    def _ask(self, *_: object) -> None:
        self._asked = True

    def _wanted(self, patience: float) -> bool:
        """Whether the server is to end; looks for at most `patience` seconds."""
        closed, _, _ = select.select([sys.stdin], [], [], patience)
        return self._asked or bool(closed and not os.read(0, 1024)) or os.getppid() != self._factory

    def _over(self) -> bool:
        """Bury the dead; whether the server is among them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                pid, status = 0, 0
            if pid == 0:
                return self._code is not None
            if pid == self._server:
                code = os.waitstatus_to_exitcode(status)
                self._code = 128 - code if code < 0 else code

    def _clear(self) -> None:
        """End whatever is left."""
        until = time.monotonic() + _STUBBORN
        while (left := descendants(os.getpid())) and time.monotonic() < until:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(_LOOK / 4)
            self._over()


def descendants(root: int) -> list[int]:
    """Processes that descend from `root`, zombies left out."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # After the name, which may hold spaces and brackets, come state (field 3) and parent (field 4).
                state, parent = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            except (OSError, ValueError):
                continue  # it ended while it was looked at
            if state not in "ZX":
                children.setdefault(int(parent), []).append(int(entry.name))
    found, queue = [], [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def _become(argv: list[str]) -> None:
    """Turn into the server, which gets SIGTERM should the keeper itself be killed."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    _prctl(_PDEATHSIG, signal.SIGTERM)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        print(f"{argv[0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(Keeper(int(sys.argv[1]), sys.argv[3:]).run(float(sys.argv[2])))
