"""Keeping a server of our own up: start, wait, start again after a crash, and give up where that does not help."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp

from datafactory.errors import ConfigError, FactoryError, RunError
from datafactory.teachers.openai_endpoint import Endpoint
from datafactory.teachers.vllm.probe import fetch
from datafactory.teachers.vllm.process import Process, free_port
from datafactory.teachers.vllm.replica import Replica

STARTS = 5
"""Deaths within WINDOW after which a server is given up."""
WINDOW = 600.0
"""Seconds."""
_PAUSES = (0.5, 30.0)
"""Seconds before a server is started again: at first, doubled with each death within WINDOW, and at most."""
_LOOK = 0.25
"""Seconds between two questions whether a server that starts is ready."""
_CHECK = 5.0
"""Seconds between two questions whether one that is up is well."""
_SICK = 30.0
"""Seconds for which a server may say that it is unwell, before it is ended: its engine is dead, and it hangs."""
_TAKEN = "address already in use"
"""What a server says of a port that somebody took between our look and its start."""


class Owned:
    """One replica's server, life after life."""

    def __init__(
        self,
        replica: Replica,
        client: aiohttp.ClientSession,
        log: Path,
        *,
        argv: Callable[[int], list[str]],
        environment: Mapping[str, str],
        connect: Callable[[str], AbstractAsyncContextManager[Endpoint]],
        patience: float,
    ) -> None:
        self.log = log
        self._replica = replica
        self._client = client
        self._argv = argv
        """The command line for a port."""
        self._environment = environment
        self._connect = connect
        """Opens the connections to an address."""
        self._patience = patience
        """Seconds that a start may take while the process lives."""
        self._deaths: deque[float] = deque()

    async def keep(self) -> None:
        """Keep it up until cancelled. Raises ConfigError where it ends before it was ever up, and RunError where that
        takes too long or where it dies again and again; both say what its log says."""
        lived = False
        while True:
            port = free_port()
            process = Process(self._argv(port), self._environment, self.log)
            try:
                problem = await self._started(process, port)
                if problem is None:
                    lived = True
                    await self._live(process, port)
            finally:
                await process.stop()
            if problem is not None and not lived and _TAKEN not in str(problem).lower():
                raise problem
            await self._mourn(process)

    async def _started(self, process: Process, port: int) -> FactoryError | None:
        """Wait until it is ready; or what went wrong."""
        until = time.monotonic() + self._patience
        while process.code is None:
            if (await fetch(self._client, f"http://127.0.0.1:{port}/health")).status == 200:
                return None
            if time.monotonic() > until:
                return RunError(
                    f"vllm was not ready after {self._patience:.0f} s; `start_seconds` gives it longer. Its log says:\n"
                    f"{process.explanation()}"
                )
            await asyncio.sleep(_LOOK)
        return ConfigError(f"vllm ended before it was ready (status {process.code}). It says:\n{process.explanation()}")

    async def _live(self, process: Process, port: int) -> None:
        """From its first answer to its end, which comes by itself, by our hand if it is sick, or with our own."""
        async with self._connect(f"http://127.0.0.1:{port}/v1") as endpoint:
            self._replica.counted.begin()
            self._replica.rise(endpoint)
            sickness = asyncio.ensure_future(self._sickness(port))
            end = asyncio.ensure_future(process.ended())
            try:
                await asyncio.wait((sickness, end), return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._replica.fall()
                for task in (sickness, end):
                    task.cancel()
                await asyncio.gather(sickness, end, return_exceptions=True)

    async def _sickness(self, port: int) -> None:
        """Returns when the server was unwell for too long."""
        well = time.monotonic()
        while time.monotonic() - well < _SICK:
            await asyncio.sleep(_CHECK)
            if (await fetch(self._client, f"http://127.0.0.1:{port}/health")).there:
                well = time.monotonic()

    async def _mourn(self, process: Process) -> None:
        """Wait before the next start. Raises RunError where there is no sense in one."""
        now = time.monotonic()
        self._deaths.append(now)
        while now - self._deaths[0] > WINDOW:
            self._deaths.popleft()
        if len(self._deaths) >= STARTS:
            raise RunError(
                f"vllm died {len(self._deaths)} times within {WINDOW / 60:.0f} minutes and is given up (status "
                f"{process.code} at last). It says:\n{process.explanation()}"
            )
        await asyncio.sleep(min(_PAUSES[1], _PAUSES[0] * 2.0 ** (len(self._deaths) - 1)))
