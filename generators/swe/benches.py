"""Benches for one repository, taken in turn; one that a change left marks on is thrown away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from datafactory.protocols import Box, SandboxHost
from generators.swe.checkout_lines import PREPARE, marks
from generators.swe.environment import Environment
from generators.swe.testing import Bench, open_bench


class Benches:
    """At most `count` boxes of a repository's layer, each with pytest imported already; see `open_benches`."""

    def __init__(self, host: SandboxHost, environment: Environment, count: int) -> None:
        self._host = host
        self._environment = environment
        self._places = asyncio.Semaphore(count)
        self._idle: list[tuple[AsyncExitStack, Box, Bench]] = []

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Bench]:
        """One that nobody else has meanwhile. Raises SandboxError."""
        async with self._places:
            stack, box, bench = self._idle.pop() if self._idle else await self._open()
            kept = False
            try:
                yield bench
                kept = not await marks(box)
            finally:
                if kept:
                    self._idle.append((stack, box, bench))
                else:
                    await stack.aclose()

    async def close(self) -> None:
        """Close those that nobody has."""
        while self._idle:
            await self._idle.pop()[0].aclose()

    async def _open(self) -> tuple[AsyncExitStack, Box, Bench]:
        testing = self._environment.testing
        async with AsyncExitStack() as stack:
            opening = self._host.open(self._environment.image, {}, workdir=testing.folder, prepare=PREPARE)
            box = await stack.enter_async_context(opening)
            bench = await stack.enter_async_context(open_bench(box, testing))
            return stack.pop_all(), box, bench


@asynccontextmanager
async def open_benches(host: SandboxHost, environment: Environment, count: int) -> AsyncIterator[Benches]:
    """Benches in boxes of `host`, opened when they are first needed."""
    benches = Benches(host, environment, count)
    try:
        yield benches
    finally:
        await benches.close()
