"""One fleet for all teachers of a run that ask the same servers, whatever they ask of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from weakref import WeakKeyDictionary

from datafactory.teachers.vllm.fleet import Fleet


class _Shared:
    """A fleet, and how many use it."""

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[Fleet]]) -> None:
        self.users = 0
        self.stack = AsyncExitStack()
        self.fleet = asyncio.ensure_future(self.stack.enter_async_context(opening()))


_OPEN: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, _Shared]] = WeakKeyDictionary()


@asynccontextmanager
async def shared(
    key: Hashable, opening: Callable[[], AbstractAsyncContextManager[Fleet]]
) -> AsyncIterator[tuple[Fleet, bool]]:
    """The fleet for `key`, opened by its first user and closed by its last, and whether this is the first."""
    fleets = _OPEN.setdefault(asyncio.get_running_loop(), {})
    entry = fleets.get(key)
    if entry is None or (entry.fleet.done() and (entry.fleet.cancelled() or entry.fleet.exception())):
        entry = fleets[key] = _Shared(opening)
    first = entry.users == 0
    entry.users += 1
    try:
        yield await asyncio.shield(entry.fleet), first
    finally:
        entry.users -= 1
        if entry.users == 0:
            if fleets.get(key) is entry:
                del fleets[key]
            entry.fleet.cancel()
            await asyncio.gather(entry.fleet, return_exceptions=True)
            await entry.stack.aclose()
