"""What an engine core hangs on: when the factory lets go, or is no more, the core and all its workers are killed."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from multiprocessing import resource_tracker, spawn
from multiprocessing.process import BaseProcess
from pathlib import Path

from datafactory.errors import Missing
from datafactory.teachers.vllm import offline_core

_ERROR = re.compile(r"\b\w*(Error|Exception): \S.*")
_DYING = 60.0
"""Seconds that a killed process may take to give back its memory."""
_starting = threading.Lock()
"""The interpreter that Python starts its children with is one for the whole process."""


class Lifeline:
    """One start of an engine. Raises Missing where programs cannot be run from the folder for temporary files."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="datafactory-vllm-"))
        self.log = self._folder / "log"
        """What vLLM said, here and in its core."""
        pipe = self._folder / "lifeline"
        os.mkfifo(pipe, 0o600)
        # Open for both: that waits for nobody, and the core may come at any time.
        self._held: int | None = os.open(pipe, os.O_RDWR)
        self._hanging: list[BaseProcess] = []
        self._python = self._folder / "python"
        self._python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{offline_core.__file__}" "$@"\n')
        self._python.chmod(0o700)
        logging = {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"plain": {"format": "%(levelname)s %(asctime)s %(process)d %(name)s: %(message)s"}},
            "handlers": {"file": {"class": "logging.FileHandler", "formatter": "plain", "filename": str(self.log)}},
            "loggers": {"vllm": {"handlers": ["file"], "level": "INFO", "propagate": False}},
        }
        self._logging = self._folder / "logging.json"
        self._logging.write_text(json.dumps(logging))
        self._environment = {
            offline_core.LIFELINE: str(pipe),
            offline_core.LOG: str(self.log),
            # The factory has threads, and a forked child would inherit their locks as they happen to be.
            "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
            # Standard output is the factory's: with --json it carries JSON and nothing else.
            "VLLM_LOGGING_CONFIG_PATH": str(self._logging),
        }
        if not os.access(self._python, os.X_OK):
            self.cut()
            raise Missing(f"{tempfile.gettempdir()} does not let programs run; set TMPDIR to a folder that does")

    @contextlib.contextmanager
    def spawning(self) -> Iterator[None]:
        """What this process starts meanwhile through `multiprocessing` hangs on this line."""
        with _starting:
            resource_tracker.ensure_running()  # it serves the whole factory, and must outlive the core
            others = set(multiprocessing.active_children())
            before = {name: os.environ.get(name) for name in self._environment}
            python = spawn.get_executable()
            os.environ.update(self._environment)
            multiprocessing.set_executable(str(self._python))
            try:
                yield
            finally:
                self._hanging = [child for child in multiprocessing.active_children() if child not in others]
                multiprocessing.set_executable(python)
                for name, value in before.items():
                    if value is None:
                        os.environ.pop(name, None)
                    else:
                        os.environ[name] = value

    def cut(self) -> None:
        """Kill what hangs on the line, if anything still does; a core that is about to start will not."""
        held, self._held = self._held, None
        if held is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            os.close(held)

    def wait(self) -> None:
        """Until what hung on the line has ended, and its GPUs are free."""
        for child in self._hanging:
            child.join(_DYING)

    def keep_log(self) -> Path:
        """A copy of the log that outlives this line."""
        number, name = tempfile.mkstemp(prefix="datafactory-vllm-", suffix=".log")
        os.close(number)
        with contextlib.suppress(OSError):
            shutil.copyfile(self.log, name)
        return Path(name)

    def reason(self) -> str:
        """The last error in the log, as the end of a sentence; empty: there is none."""
        with contextlib.suppress(OSError):
            text = self.log.read_text(encoding="utf-8", errors="replace")
            found = [match.group() for match in _ERROR.finditer(text)]
            # Whoever waits for a process that broke says so after it: "... See stack trace for root cause."
            causes = [line for line in found if "root cause" not in line] or found
            return f": {causes[-1][:1000]}" if causes else ""
        return ""
