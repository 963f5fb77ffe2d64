"""Runs sessions of pytest from outside, ends them in time, and goes on where one was lost."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import secrets
import selectors
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .tally import Tally

LOG = 8000
"""Bytes kept of what is printed: the end."""
RESTARTS = 25
"""Sessions that one run may lose; the tests that are left then are not run."""
_SET_CHILD_SUBREAPER = 36
"""Of prctl(2): orphans below this process become its children, so that none outlives its run."""

Start = Callable[[dict[str, Any], int, int], int]
"""Starts a session: a request, descriptors for its output and its events; gives the id of its process, which leads a
group."""


def adopt_orphans() -> None:
    """Be told of, and be able to find, whatever a session leaves behind."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run(request: dict[str, Any], start: Start, *, stop: int | None = None) -> dict[str, Any]:
    """Run the tests that `request` asks for: a report, as JSON has it. A session that crashes loses the test that it
    was at, and the next one does the rest. `stop`: a descriptor; once it can be read, nobody wants the answer.

    Of the request: `tests` (None: all), `timeout` and `each` (seconds for all, and for one test; None: no limit),
    `workers` (forks that share the tests, without `each`; where one of them is lost, all is run again by one).
    """
    if request.get("workers", 1) > 1:
        report, whole = _run(request, start, stop)
        return report if whole else _run({**request, "workers": 1}, start, stop)[0]
    return _run(request, start, stop)[0]


def _run(request: dict[str, Any], start: Start, stop: int | None) -> tuple[dict[str, Any], bool]:
    """The report, and whether nothing was lost."""
    began, used = time.monotonic(), _used()
    deadline = began + request["timeout"]
    tally = Tally(request["folder"], request["tests"])
    log = b""
    for _ in range(RESTARTS if request.get("workers", 1) == 1 else 1):
        watch = Watch({**request, **tally.left(again=bool(request.get("coverage")))}, start, tally)
        log = watch.until(deadline, request.get("each"), stop)
        if not tally.lost_session(watch.how, log.decode(errors="replace")):
            break
    else:
        tally.why = tally.why or f"the session was lost {RESTARTS} times"
    whole = not tally.why or tally.why == "timeout"
    times = {"seconds": round(time.monotonic() - began, 4), "cpu_seconds": round(_used() - used, 4)}
    return {**tally.report(), **times, "log": log.decode(errors="replace")}, whole


def _used() -> float:
    """CPU seconds of the processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Watch:
    """One session, from its start to the last process that it left."""

    def __init__(self, request: dict[str, Any], start: Start, tally: Tally) -> None:
        self.how = ""
        """How it ended: ``timeout`` (of the run), ``slow`` (one test), ``stopped``, or in words."""
        self._tally = tally
        self._nonce = secrets.token_hex(16)
        self._tail, self._line = b"", b""
        self._wake, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._out, out = os.pipe()
        self._events, events = os.pipe()
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._open = [self._wake, wake, self._out, self._events]
        try:
            self._pid = start({**request, "nonce": self._nonce}, out, events)
        finally:
            os.close(out)
            os.close(events)
        for end in (self._out, self._events):
            os.set_blocking(end, False)

    def until(self, deadline: float, each: float | None, stop: int | None) -> bytes:
        """Follow it to its end, or end it; the end of what it printed."""
        selector = selectors.DefaultSelector()
        for end in (self._wake, self._out, self._events, *(() if stop is None else (stop,))):
            selector.register(end, selectors.EVENT_READ)
        try:
            while not self.how:
                limit = deadline
                if each is not None and self._tally.running:
                    limit = min(limit, self._tally.since + each)
                now = time.monotonic()
                if now >= limit:
                    self.how = "timeout" if now >= deadline else "slow"
                    break
                ready = [key.fd for key, _ in selector.select(limit - now)]
                for end in {self._out, self._events}.intersection(ready):
                    if not self._take(end):
                        selector.unregister(end)
                if self._wake in ready:
                    os.read(self._wake, 4096)
                    self.how = self._ended()
                if stop is not None and stop in ready:
                    self.how = self.how or "stopped"
        finally:
            selector.close()
            self._close()
        return self._tail

    def _ended(self) -> str:
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if not pid:
            return ""
        if os.WIFSIGNALED(status):
            return f"crashed: signal {os.WTERMSIG(status)}"
        return f"crashed: exit status {os.WEXITSTATUS(status)}"

    def _close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        end_children()
        while self._take(self._events, all_of_it=True) or self._take(self._out, all_of_it=True):
            pass
        signal.set_wakeup_fd(-1)
        for end in self._open:
            os.close(end)

    def _take(self, end: int, *, all_of_it: bool = False) -> bool:
        """Read a piece; whether there may be more."""
        try:
            data = os.read(end, 1 << 16)
        except BlockingIOError:
            return not all_of_it
        if end == self._out:
            self._tail = (self._tail + data)[-LOG:]
            return bool(data)
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            nonce, _, event = line.partition(b" ")
            if secrets.compare_digest(nonce, self._nonce.encode()):
                self._tally.hear(json.loads(event))
        return bool(data)


def end_children() -> None:
    """Kill every child of this process, and theirs as they become ours, until there is none."""
    while True:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    own, found = str(os.getpid()), []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if fields[1] == own and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found
