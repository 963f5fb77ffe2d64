"""What became of the tests of a run, over all the sessions that it took."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any


class Tally:
    """Hears what sessions say, and knows what is left to do where one was lost."""

    def __init__(self, folder: str, wanted: list[str] | None) -> None:
        self.running = ""
        """The test that is being run; empty: none."""
        self.since = 0.0
        self.why = ""
        """Why the session ended before its tests did."""
        self._folder = folder
        self._wanted = None if wanted is None else list(dict.fromkeys(wanted))
        self._collected: list[str] = []
        self._collecting = ""
        self._results: dict[str, dict[str, Any]] = {}
        self._broken: dict[str, str] = {}
        self._left_out: dict[str, str] = {}
        self._unstable: dict[str, str] = {}
        self._avoid: dict[str, str] = {}
        self._lost: set[str] = set()
        self._final = self._finished = self._timed_out = False

    def hear(self, event: dict[str, Any]) -> None:
        """One event of a session."""
        kind = event.pop("event")
        if kind == "start":
            self.running, self.since = event["id"], time.monotonic()
        elif kind == "end":
            self.running = ""
            self._results[event["id"]] = event
        elif kind == "collecting":
            self._collecting = event["file"]
        elif kind == "collected":
            self._collecting = ""
            self._collected += [test for test in event["ids"] if test not in self._results]
            self._unstable.update(event["unstable"])
        elif kind in ("broken", "left_out"):
            (self._broken if kind == "broken" else self._left_out)[event["file"]] = event["why"]
        elif kind == "ended":
            self.why, self._final = event["why"], event["final"]
        elif kind == "done":
            self._finished = True

    def left(self, *, again: bool) -> dict[str, Any]:
        """What the next session is asked for; `again`: everything but what was lost, as it counts only as a whole."""
        done = self._lost if again else set(self._results)
        self._finished = self._final = False
        self.why = ""
        tests = None if self._wanted is None else [test for test in self._wanted if test not in done]
        return {"tests": tests, "done": sorted(done), "avoid": self._avoid}

    def lost_session(self, how: str, log: str) -> bool:
        """A session ended in this way: whether another one should do what is left."""
        if how in ("timeout", "stopped"):
            self._lose("timeout")
            self._timed_out, self.why = True, "timeout"
            return False
        if how == "slow":
            self._lose("timeout")
            return True
        if self._finished and not self.why:
            return self._complain(log)
        if self.running:
            self._lose(self.why or how, log)
            return not self._final
        if self._collecting and not self.why:
            self._broken[self._collecting] = self._avoid[self._collecting] = how
            self._collecting = ""
            return True
        self.why = self.why or how
        return False

    def _lose(self, message: str, log: str = "") -> None:
        if self.running:
            trace = log[-2000:] if message.startswith("crashed") else ""
            seconds = round(time.monotonic() - self.since, 4)
            self._results[self.running] = {
                "id": self.running, "outcome": "failed", "seconds": seconds, "message": message, "trace": trace,
            }  # fmt: skip
            self._lost.add(self.running)
        self.running = ""

    def _complain(self, log: str) -> bool:
        """Take from its output why a session that ended in good order ran nothing."""
        if not self._results and not self._collected and not self._broken and not self._left_out:
            errors = re.findall(r"^(?:E  +|ERROR: )(.*)", log, re.M)
            self.why = errors[-1] if errors else ""
            conftest = re.search(r"ImportError while loading conftest '(.+?)'", log)
            if conftest:
                self._broken[os.path.relpath(conftest[1], self._folder)] = self.why
        return False

    def report(self) -> dict[str, Any]:
        """A `Report` without seconds and log; each test that was asked for is in it."""
        if self.why and not self._timed_out and not self._collected and not self._broken:
            self._broken["."] = self.why
        for test in self._wanted if self._wanted is not None else self._collected:
            if test not in self._results:
                self._results[test] = {"id": test, **self._never(test)}
        return {
            "results": self._results,
            "broken": self._broken,
            "unstable": self._unstable,
            "timed_out": self._timed_out,
        }

    def _never(self, test: str) -> dict[str, str]:
        file = test.split("::", 1)[0]
        if self._timed_out:
            return {"outcome": "failed", "message": "timeout before it ran"}
        if file in self._broken:
            return {"outcome": "error", "message": self._broken[file]}
        if file in self._left_out:
            return {"outcome": "skipped", "message": self._left_out[file]}
        if self.why:
            return {"outcome": "error", "message": f"not run: {self.why}"}
        there = Path(self._folder, file).exists()
        return {"outcome": "error", "message": "not collected" if there else f"not collected: no file {file}"}
