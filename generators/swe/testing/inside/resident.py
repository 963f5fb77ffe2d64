"""Stays in the box with pytest imported, and forks for each run that is asked for."""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from .changes import Changes, forget_recent
from .start import forked, fresh
from .supervise import Start, adopt_orphans, run


def main(home: str, folder: str) -> None:
    """Answer requests until killed: a number through ``requests`` (in `home`), what is asked in
    ``request-<number>.json``, the answer in ``answer-<number>.json``, and the number back through ``answers``."""
    changes, requests, answers = opened(home)
    whole = preload(folder)
    # Compiled files of the repository's own folder may be of another text; those under here are of this process.
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = f"{home}/compiled"
    gc.collect()
    gc.freeze()

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        start = forked if whole and not request["fresh"] else partial(fresh, sys.executable)
        return answered(request, start, changes, requests)

    serve(home, requests, answers, answer)


def opened(home: str) -> tuple[Changes, int, int]:
    """Changes, with those undone that a process before this one left, and descriptors of requests and answers."""
    adopt_orphans()
    changes = Changes(f"{home}/before")
    changes.undo()
    # Read and written by both ends, so that neither waits for the other to open it.
    requests, answers = (os.open(f"{home}/{name}", os.O_RDWR) for name in ("requests", "answers"))
    return changes, requests, answers


def serve(home: str, requests: int, answers: int, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> NoReturn:
    """Say that all is ready, then answer what is asked, for ever."""
    os.write(answers, b"0\n")
    asked = b""
    while True:
        asked += os.read(requests, 4096)
        *numbers, asked = asked.split(b"\n")
        if numbers:
            name = int(numbers[-1])  # one before it was given up
            request = json.loads(Path(home, f"request-{name}.json").read_bytes())
            Path(home, f"answer-{name}.json").write_text(json.dumps(answer(request)))
            os.write(answers, b"%d\n" % name)


def answered(request: dict[str, Any], start: Start, changes: Changes, stop: int) -> dict[str, Any]:
    """Run what is asked for, with its changes in place: a report, or the error that a change met with. Where a test
    does not pass, ``then`` of the request says what else is run; its report is under that name."""
    began = time.time()
    request["compile"] = not request["changes"]
    try:
        changes.make(request["changes"])
        report = run(request, start, stop=stop)
        if (
            request["then"]
            and not report["timed_out"]
            and any(result["outcome"] != "passed" for result in report["results"].values())
        ):
            report["then"] = run({**request, **request["then"]}, start, stop=stop)
        return report
    except OSError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        changes.undo()
        if request["compile"]:
            forget_recent(request["folder"], began)


def preload(folder: str) -> bool:
    """Import pytest; False: what the repository itself provides is among it (it is pytest, say, or a library of
    pytest's), so that nothing may be shared between runs. Raises ImportError without pytest.

    Plugins of others are left to each run: pytest rewrites their assertions, which it cannot do afterwards.
    """
    if _touches(folder) or not _clean("pytest", folder):
        importlib.metadata.version("pytest")
        return False
    importlib.import_module("pytest")
    importlib.import_module(f"{__package__}.session")
    from _pytest.config import default_plugins

    for name in ["asyncio", "doctest", "unittest.mock", *(f"_pytest.{name}" for name in default_plugins)]:
        importlib.import_module(name)
    return not _touches(folder)


def _clean(name: str, folder: str) -> bool:
    """Whether importing it works and brings nothing of the repository's: tried in a fork, as it cannot be undone."""
    pid = os.fork()
    if not pid:
        try:
            importlib.import_module(name)
            os._exit(1 if _touches(folder) else 0)
        finally:
            os._exit(2)
    return os.waitpid(pid, 0)[1] == 0


def _touches(folder: str) -> bool:
    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    return any(os.path.realpath(file).startswith(f"{os.path.realpath(folder)}/") for file in files)
