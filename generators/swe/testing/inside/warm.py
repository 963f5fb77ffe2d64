"""Stays in the box with all tests collected: a run is a fork in which changed functions are given their new code.

Nothing is imported or collected for a run. That holds for changes of lines which no import runs; what else a change
may come to, it refuses, and the other resident has to run it.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from _pytest.main import pytest_runtestloop

from .changes import Changes
from .resident import answered, opened, serve
from .session import Recorder, arguments, as_program
from .start import settled
from .swap import Functions, Unswappable


def main(home: str, folder: str, given: list[str]) -> None:
    """Collect all tests (`given`: pytest's arguments), then answer requests until killed, as `resident.main` does. An
    answer may also be ``{"cold": why}``: nothing was run."""
    changes, requests, answers = opened(home)
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = f"{home}/compiled"
    as_program(folder)
    request = {"folder": folder, "arguments": given, "tests": None, "nonce": ""}

    def ready(collected: Collected) -> None:
        functions = Functions(os.path.realpath(folder))
        gc.freeze()
        serve(home, requests, answers, partial(_answer, collected, functions, changes, requests))

    sys.exit(int(pytest.main(arguments(request), plugins=[Collected(request, ready)])))


def _answer(
    collected: Collected, functions: Functions, changes: Changes, stop: int, request: dict[str, Any]
) -> dict[str, Any]:
    try:
        swaps = [swap for path, new in request["changes"].items() for swap in _swaps(functions, path, new)]
    except (Unswappable, SyntaxError, UnicodeDecodeError, OSError) as error:
        return {"cold": f"{type(error).__name__}: {error}"}

    def start(request: dict[str, Any], out: int, events: int) -> int:
        pid = os.fork()
        if not pid:
            try:
                settled(out)
                for function, code in swaps:
                    function.__code__ = code
                collected.run(request, events)
            finally:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(70)
        return pid

    return answered(request, start, changes, stop)


def _swaps(functions: Functions, path: str, new: str | None) -> list[Any]:
    if new is None or not path.endswith(".py"):
        raise Unswappable(f"{path} goes, or is no Python")
    real = os.path.realpath(path)
    return functions.swaps(real, Path(real).read_text(encoding="utf-8"), Path(new).read_text(encoding="utf-8"))


class Collected(Recorder):
    """Keeps what was collected; a fork of it says what was said meanwhile, and runs what is wanted."""

    def __init__(self, request: dict[str, Any], ready: Callable[[Collected], None]) -> None:
        super().__init__(request, -1)
        self._ready = ready
        self._early: list[tuple[str, dict[str, Any]]] = []
        self._session: pytest.Session | None = None

    def say(self, event: str, **facts: Any) -> None:
        """To whoever supervises, once there is somebody."""
        if self._events < 0:
            self._early.append((event, facts))
        else:
            super().say(event, **facts)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """All is collected: wait for what is asked."""
        self._session = session
        self._ready(self)

    def run(self, request: dict[str, Any], events: int) -> None:
        """In a fork: run what `request` asks for and end this process."""
        assert self._session is not None
        self.owner, self._events, self._nonce = os.getpid(), events, request["nonce"]
        self._wants(request)
        kept = self.chosen(self._session.items)
        self._session.items[:] = kept
        for event, facts in self._early:
            if event == "collected":
                self.say_collected(kept, facts["unstable"])
            else:
                self.say(event, **facts)
        try:
            if self._workers > 1:
                self.in_crew(self._session, self._workers, pytest_runtestloop)
            else:
                pytest_runtestloop(self._session)
        except pytest.exit.Exception as error:
            self.say("ended", why=f"Exit: {error.msg}".rstrip(": "), final=True)
        except (KeyboardInterrupt, pytest.Session.Interrupted) as error:
            self.say("ended", why=f"{type(error).__name__}: {error}".rstrip(": "), final=False)
        except pytest.Session.Failed:
            pass
        self.say("done", code=0)
        os._exit(0)
