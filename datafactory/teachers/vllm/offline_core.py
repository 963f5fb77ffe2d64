"""Starts an engine core in a session of its own, and ends that session when the factory is gone; run as a program."""

from __future__ import annotations

import os
import signal
import sys

LIFELINE = "DATAFACTORY_CORE_LIFELINE"
"""Environment variable: a named pipe that the factory holds open for as long as the core may live."""
LOG = "DATAFACTORY_CORE_LOG"
"""Environment variable: the file that takes what the core prints."""


def _guard(lifeline: int) -> None:
    """Wait until nobody holds the lifeline's other end, however the factory ended, and kill the session: this process
    is one of it, so no other can have taken its number meanwhile."""
    os.dup2(lifeline, 0)
    # Above all the pipe whose closing tells the factory that the core has ended.
    os.closerange(1, os.sysconf("SC_OPEN_MAX"))
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def _main() -> None:
    os.setsid()  # a terminal's Ctrl-C is for the factory, which ends the core in order
    lifeline = os.open(os.environ[LIFELINE], os.O_RDONLY)
    if os.fork() == 0:
        _guard(lifeline)
    os.close(lifeline)
    log = os.open(os.environ[LOG], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])


if __name__ == "__main__":
    _main()
