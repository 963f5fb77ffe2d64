"""Calls that come at the same time are answered together: one search for many agents, one request for many searches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Answer = TypeVar("Answer")
_Call = tuple[Sequence[str], int, asyncio.Future[list[Answer]]]
Work = Callable[[list[str], int], Awaitable[list[Answer]]]


class Batcher(Generic[Answer]):
    """Gives calls to `work`, which does `lanes` pieces at a time; those that come meanwhile wait, and the next lane
    that is free takes as many of them as fit, all with the same `topk`. What `work` raises, every call of the batch
    raises. `eager`: a call that finds a lane free is a piece of its own, for work whose start costs little; otherwise
    it waits until the loop turns, and goes with whatever came by then."""

    def __init__(self, work: Work[Answer], *, lanes: int, most: int, eager: bool = False) -> None:
        self._work, self._lanes, self._most, self._eager = work, lanes, most, eager
        self._waiting: deque[_Call[Answer]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy = 0

    async def __call__(self, queries: Sequence[str], topk: int) -> list[Answer]:
        """One answer for each query; a call with more than `most` queries is answered in parts."""
        if len(queries) > self._most:
            parts = [queries[at : at + self._most] for at in range(0, len(queries), self._most)]
            return [answer for part in await asyncio.gather(*(self(part, topk) for part in parts)) for answer in part]
        if not queries:
            return []
        if self._eager and self._busy < self._lanes:  # on the spot: a task and a future take longer than many a search
            self._busy += 1
            try:
                return await self._work(list(queries), topk)
            finally:
                self._free()
        future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._waiting.append((queries, topk, future))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._start)
        return await future

    @property
    def waiting(self) -> int:
        """Queries that no work has begun on."""
        return sum(len(queries) for queries, _, _ in self._waiting)

    async def close(self) -> None:
        """Wait for the work that is under way; calls that still wait are cancelled."""
        for _, _, future in self._waiting:
            future.cancel()
        self._waiting.clear()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _free(self) -> None:
        self._busy -= 1
        self._start()

    def _start(self) -> None:
        """Lanes that are free take what waits."""
        while self._waiting and self._busy < self._lanes:
            self._busy += 1
            task = asyncio.get_running_loop().create_task(self._run(self._next()))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free()

    def _next(self) -> list[_Call[Answer]]:
        topk, size = self._waiting[0][1], 0
        batch: list[_Call[Answer]] = []
        while self._waiting and self._waiting[0][1] == topk:
            if batch and size + len(self._waiting[0][0]) > self._most:
                break
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0])
        return batch

    async def _run(self, batch: list[_Call[Answer]]) -> None:
        batch = [each for each in batch if not each[2].done()]
        if not batch:
            return
        try:
            answers = await self._work([query for queries, _, _ in batch for query in queries], batch[0][1])
        except BaseException as error:
            for _, _, future in batch:
                if not future.done():
                    if isinstance(error, asyncio.CancelledError):
                        future.cancel()
                    else:
                        future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        at = 0
        for queries, _, future in batch:
            if not future.done():
                future.set_result(answers[at : at + len(queries)])
            at += len(queries)
