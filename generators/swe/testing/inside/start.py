"""Starts a session: a fork of this process, or a Python of its own where nothing of this one may be seen."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

_BOOT = "import sys; sys.path[0] = {home!r}; from {package}.start import main; del sys.path[0]; main({given}, {events})"


def forked(request: dict[str, Any], out: int, events: int) -> int:
    """Start a session in a fork of this process: see `supervise.Start`."""
    from .session import run  # already imported, pytest with it

    pid = os.fork()
    if not pid:
        try:
            settled(out)
            _close_all_but(events)
            sys.dont_write_bytecode = not request["compile"]
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
            run(request, events)
        finally:
            _give_up()
    return pid


def fresh(python: str, request: dict[str, Any], out: int, events: int) -> int:
    """Start a session in a Python of its own, from ``/``, so that no module of the repository's comes before pytest."""
    given = os.memfd_create("request")
    os.write(given, json.dumps(request).encode())
    os.lseek(given, 0, os.SEEK_SET)
    here = Path(__file__).resolve().parent
    boot = _BOOT.format(home=str(here.parent), package=here.name, given=given, events=events)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": str(request.get("hashseed", 0))}
    pid = os.fork()
    if not pid:
        try:
            settled(out)
            os.chdir("/")
            os.set_inheritable(given, True)
            os.set_inheritable(events, True)
            os.execve(python, [python, "-c", boot], environment)
        finally:
            _give_up()
    os.close(given)
    return pid


def main(given: int, events: int) -> None:
    """What the fresh Python does."""
    os.set_inheritable(events, False)
    with open(given, "rb") as file:
        request = json.load(file)
    from .session import run

    run(request, events)


def _give_up() -> None:
    """End a process that must not go back to what its parent does; say what stopped it."""
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(70)


def settled(out: int) -> None:
    """In the new process: a session of its own, nothing to read, all that is printed to `out`."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    empty = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, empty), (1, out), (2, out)):
        os.dup2(source, target)


def _close_all_but(kept: int) -> None:
    os.closerange(3, kept)
    os.closerange(kept + 1, 1024)
