"""Benches for one repository, taken in turn; one that a change left marks on is thrown away."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from datafactory.protocols import Box, SandboxHost
from generators.swe.checkout_lines import PREPARE, marks
from generators.swe.environment import Environment
from generators.swe.testing import Bench, Report, WarmBench, open_bench, open_warm_bench

MOST_WORKERS = 8
"""Forks that share a suite."""
WAITS = 1.5
"""Times its CPU seconds that a suite takes at least, to be shared."""
SLACK = 5.0
"""Seconds beyond four times what tests take without a change, before they count as hung."""


@dataclass(frozen=True)
class Pair:
    """Two benches in one box, to see the same change in two ways."""

    box: Box
    cold: Bench
    """Imports and collects for each run."""
    warm: WarmBench | None
    """Swaps code; None: this repository is not for it."""
    seconds: dict[str, float]
    """What each test took in this box, without a change."""
    suite: float
    """What the suite took, by `workers`."""
    workers: int = 1
    """Forks that share the whole suite: more than one where it waits more than it computes."""

    def is_part(self, tests: Collection[str]) -> bool:
        """Whether `tests` take so much less than the whole suite that it pays to run them first."""
        return sum(self.seconds.get(test, 0.0) for test in tests) < self.suite / 2

    def limit(self, tests: Collection[str] | None) -> float:
        """Seconds after which a run of `tests` (None: all) is hung."""
        if tests is None:
            return SLACK + 4 * self.suite
        return SLACK + 4 * sum(self.seconds.get(test, 0.0) for test in tests)


class Benches:
    """At most `count` boxes of a repository's layer, each with pytest imported already; see `open_benches`."""

    def __init__(self, host: SandboxHost, environment: Environment, count: int) -> None:
        self._host = host
        self._environment = environment
        self._places = asyncio.Semaphore(count)
        self._idle: list[tuple[AsyncExitStack, Pair]] = []

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Pair]:
        """A pair that nobody else has meanwhile. Raises SandboxError."""
        async with self._places:
            stack, pair = self._idle.pop() if self._idle else await self._open()
            kept = False
            try:
                yield pair
                kept = not await marks(pair.box)
            finally:
                if kept:
                    self._idle.append((stack, pair))
                else:
                    await stack.aclose()

    async def close(self) -> None:
        """Close those that nobody has."""
        while self._idle:
            await self._idle.pop()[0].aclose()

    async def _open(self) -> tuple[AsyncExitStack, Pair]:
        testing = self._environment.testing
        async with AsyncExitStack() as stack:
            prepare = (*self._environment.copies.prepare, *PREPARE)
            opening = self._host.open(self._environment.image, {}, workdir=testing.folder, prepare=prepare)
            box = await stack.enter_async_context(opening)
            cold = await stack.enter_async_context(open_bench(box, testing))
            warm = await stack.enter_async_context(open_warm_bench(box, testing))
            sound = await cold.run(timeout=60 + 10 * self._environment.seconds)
            seconds = {test: result.seconds for test, result in sound.results.items()}
            suite, workers = await _shared(cold, sound)
            return stack.pop_all(), Pair(box, cold, warm, seconds, suite, workers)


async def _shared(bench: Bench, sound: Report) -> tuple[float, int]:
    """How long the whole suite takes without a change, and by how many forks, given its run by one."""
    idle = sound.seconds / max(sound.cpu_seconds, 0.01)
    if idle < WAITS:
        return sound.seconds, 1
    workers = min(MOST_WORKERS, math.ceil(2 * idle))  # some wait while others compute
    shared = await bench.run(timeout=60 + 10 * sound.seconds, workers=workers)
    worth = shared.passed >= sound.passed and shared.seconds < 0.7 * sound.seconds
    return (shared.seconds, workers) if worth else (sound.seconds, 1)


@asynccontextmanager
async def open_benches(host: SandboxHost, environment: Environment, count: int) -> AsyncIterator[Benches]:
    """Benches in boxes of `host`, opened when they are first needed."""
    benches = Benches(host, environment, count)
    try:
        yield benches
    finally:
        await benches.close()
