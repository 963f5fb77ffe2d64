"""One fleet, or one engine, for all teachers of a run that ask the same, whatever they ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

Live = TypeVar("Live")


class _Shared(Generic[Live]):
    """What is shared, and how many use it."""

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[Live]]) -> None:
        self.users = 0
        self.stack = AsyncExitStack()
        self.live = asyncio.ensure_future(self.stack.enter_async_context(opening()))


_OPEN: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, _Shared[Any]]] = WeakKeyDictionary()


@asynccontextmanager
async def shared(key: Hashable, opening: Callable[[], AbstractAsyncContextManager[Live]]) -> AsyncIterator[Live]:
    """What is open for `key`, opened by its first user and closed by its last."""
    entries = _OPEN.setdefault(asyncio.get_running_loop(), {})
    entry = entries.get(key)
    if entry is None or (entry.live.done() and (entry.live.cancelled() or entry.live.exception())):
        entry = entries[key] = _Shared(opening)
    entry.users += 1
    try:
        yield await asyncio.shield(entry.live)
    finally:
        entry.users -= 1
        if entry.users == 0:
            if entries.get(key) is entry:
                del entries[key]
            entry.live.cancel()
            await asyncio.gather(entry.live, return_exceptions=True)
            await entry.stack.aclose()
