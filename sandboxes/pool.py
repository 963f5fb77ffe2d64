"""A pool that keeps a few fresh things ready, so that whoever asks for one seldom waits for its making."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from datafactory.errors import FactoryError, SandboxError

Thing = TypeVar("Thing")

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


class WarmPool(Generic[Thing]):
    """Makes things ahead of demand, and hands each out once.

    Whoever waits comes before the stock: while somebody does, what is made goes to them, first come first served.
    A making that fails is the error of the one who waits longest; where nobody waits, the pool tries again after
    a pause that doubles from half a second to half a minute, so that an engine in trouble is not made worse.

    `size`: how many are kept ready; 0: none, each is made on demand. `at_once`: how many are made at a time.
    """

    def __init__(
        self,
        make: Callable[[], Awaitable[Thing]],
        discard: Callable[[Thing], Awaitable[None]],
        *,
        size: int,
        at_once: int = 4,
        usable: Callable[[Thing], bool] = lambda thing: True,
    ) -> None:
        self._make = make
        self._discard = discard
        self._usable = usable
        self._size = size
        self._at_once = at_once
        self._ready: deque[Thing] = deque()
        self._waiting: deque[asyncio.Future[Thing]] = deque()
        self._makers: set[asyncio.Task[None]] = set()
        self._demand = asyncio.Event()
        self._pause = 0.0
        self._closed = False

    @property
    def ready(self) -> int:
        """How many could be taken now without waiting."""
        return len(self._ready)

    @property
    def wanted(self) -> bool:
        """Whether somebody waits."""
        return any(not asked.done() for asked in self._waiting)

    def fill(self) -> None:
        """Start making what is missing; returns at once."""
        stock = self._size - len(self._ready)
        missing = len(self._waiting) + (min(stock, 1) if self._pause else stock) - len(self._makers)
        for _ in range(min(missing, self._at_once - len(self._makers))):
            maker = asyncio.create_task(self._work())
            self._makers.add(maker)
            maker.add_done_callback(self._finished)

    async def take(self) -> Thing:
        """One that nobody had before. Raises what making it raised, and SandboxError once the pool is closed."""
        if self._closed:
            raise SandboxError("the pool of warm boxes is closed")
        while self._ready:
            thing = self._ready.popleft()
            if self._usable(thing):
                self.fill()
                return thing
            await self._discard(thing)
        asked: asyncio.Future[Thing] = asyncio.get_running_loop().create_future()
        self._waiting.append(asked)
        self._demand.set()
        self.fill()
        try:
            return await asked
        except asyncio.CancelledError:
            if asked.done() and not asked.cancelled() and asked.exception() is None:
                await self._put(asked.result())
            raise

    async def close(self) -> None:
        """Stop making, refuse who waits, discard what is ready."""
        self._closed = True
        makers = list(self._makers)
        for maker in makers:
            maker.cancel()
        await asyncio.gather(*makers, return_exceptions=True)
        while self._waiting:
            asked = self._waiting.popleft()
            if not asked.done():
                asked.set_exception(SandboxError("the pool of warm boxes was closed"))
        left, self._ready = list(self._ready), deque()
        await asyncio.gather(*(self._discard(thing) for thing in left))

    async def _work(self) -> None:
        if self._pause and not self._waiting:
            self._demand.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._demand.wait(), self._pause)
        try:
            made = await self._make()
        except (FactoryError, OSError) as error:
            self._slow_down()
            asked = self._next_in_line()
            if asked is not None:
                asked.set_exception(error)
            return
        self._pause = 0.0
        await self._put(made)

    async def _put(self, thing: Thing) -> None:
        asked = self._next_in_line()
        if asked is not None:
            asked.set_result(thing)
        elif self._closed or len(self._ready) >= self._size:
            await self._discard(thing)
        else:
            self._ready.append(thing)

    def _slow_down(self) -> None:
        self._pause = min(max(_FIRST_PAUSE, 2 * self._pause), _LONGEST_PAUSE)

    def _next_in_line(self) -> asyncio.Future[Thing] | None:
        while self._waiting:
            asked = self._waiting.popleft()
            if not asked.done():
                return asked
        return None

    def _finished(self, maker: asyncio.Task[None]) -> None:
        self._makers.discard(maker)
        if not maker.cancelled() and (broken := maker.exception()) is not None:
            self._slow_down()
            while (asked := self._next_in_line()) is not None:
                asked.set_exception(broken)
        if not self._closed:
            self.fill()
