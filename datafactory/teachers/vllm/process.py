"""One vLLM server process, under a keeper that ends it when the factory dies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from datafactory.teachers.vllm import logs

GRACE = 10.0
"""Seconds that a server has to end by itself."""
_LOOK = 0.1


class Process:
    """A server that was started; `stop` it."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        self._since = log.stat().st_size
        keeper = [sys.executable, "-I", str(Path(__file__).with_name("keeper.py")), str(os.getpid()), str(GRACE)]
        with log.open("ab") as out:
            out.write(f"$ {shlex.join(argv)}\n".encode())
            self._since = out.tell()
            # A session of its own: Ctrl-C stops the factory, and the factory stops its servers when it is done.
            self._keeper = subprocess.Popen(
                [*keeper, *argv], stdin=subprocess.PIPE, stdout=out, stderr=out, env=environment, start_new_session=True
            )

    @property
    def code(self) -> int | None:
        """Its exit status, 128 and more after a signal; None: it lives."""
        return self._keeper.poll()

    async def ended(self) -> int:
        """Wait for its end; the exit status."""
        while (code := self.code) is None:
            await asyncio.sleep(_LOOK)
        return code

    async def stop(self) -> None:
        """End it and all that it started, and wait for that; the keeper sees it through where the wait is cancelled."""
        assert self._keeper.stdin is not None
        with contextlib.suppress(OSError):
            self._keeper.stdin.close()
        self._keeper.terminate()  # a process that was forked off the factory may still hold the pipe
        await asyncio.shield(asyncio.ensure_future(self.ended()))

    def explanation(self) -> str:
        """What its log says of its end, line by line, and where the log is."""
        return f"{logs.explanation(self.log, since=self._since)}\n  the whole log: {self.log}"


def free_port() -> int:
    """A port of the loopback that nobody listens on; somebody else may take it before a server does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
