"""Replicas that answer for one teacher: each episode sticks to one, so that its prefix stays cached there."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp

from datafactory.errors import FactoryError, RunError, TeacherError
from datafactory.teachers.gate import Ages
from datafactory.teachers.vllm.replica import Replica
from datafactory.types import Reply

EPISODES = 1 << 15
"""Episodes whose replica is remembered; those that called least recently are forgotten first."""


class Fleet:
    """Safe for any number of calls at the same time."""

    def __init__(self, replicas: Sequence[Replica], *, gpus: int, patience: float) -> None:
        self.replicas = tuple(replicas)
        self.gpus = gpus
        """GPUs that all replicas hold together."""
        self.context: int | None = None
        """Tokens of prompt and answer together, as the servers say; None: they do not."""
        self._patience = patience
        """Seconds for which calls wait for a server that went down."""
        self._ages = Ages()
        self._seats: OrderedDict[str, Replica] = OrderedDict()
        self._news = asyncio.Event()
        self._lost: dict[int, FactoryError] = {}
        for replica in self.replicas:
            replica.changed = self._news.set

    @property
    def over(self) -> FactoryError | None:
        """Why no replica will ever be up again; None: one is, or may be."""
        return next(reversed(self._lost.values())) if len(self._lost) == len(self.replicas) else None

    async def ask(self, data: bytes, episode: str | None) -> Reply:
        """The answer to one request, from the episode's replica; one that goes down is passed over or waited for.

        Raises TeacherError where none comes back in time, RunError where none ever will, and as `Endpoint.send` does.
        """
        order = self._ages.of(episode)
        while True:
            replica = await self._seat(episode)
            reply = await replica.ask(data, order)
            if reply is not None:
                return reply

    async def _seat(self, episode: str | None) -> Replica:
        """The episode's replica, if it is up; else the least busy one, which is the episode's from now on."""
        await self._some_up()
        mine = self._seats.get(episode) if episode is not None else None
        if mine is None or not mine.up:
            if mine is not None:
                mine.episodes -= 1
            mine = min((r for r in self.replicas if r.up), key=lambda replica: replica.pressure)
            if episode is None:
                return mine
            mine.episodes += 1
            self._seats[episode] = mine
            if len(self._seats) > EPISODES:
                self._seats.popitem(last=False)[1].episodes -= 1
        assert episode is not None
        self._seats.move_to_end(episode)
        return mine

    async def _some_up(self) -> None:
        while not any(replica.up for replica in self.replicas):
            if self.over is not None:
                raise type(self.over)(str(self.over))
            left = max(replica.since for replica in self.replicas) + self._patience - time.monotonic()
            if left <= 0:
                named = ", ".join(replica.address for replica in self.replicas)
                raise TeacherError(f"no server of the teacher vllm came back within {self._patience:.0f} s: {named}")
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                continue

    def lose(self, replica: Replica, problem: FactoryError) -> None:
        """The replica will not come back."""
        self._lost[replica.number] = problem
        self._news.set()

    def report(self) -> dict[str, Any]:
        """What the fleet did so far, as JSON; `prefix_hit_rate`: the share of prompt tokens that a cache held."""
        rows = [replica.report() for replica in self.replicas]
        queries, hits = (sum(row[key] for row in rows) for key in ("prefix_queries", "prefix_hits"))
        return {
            "gpus": self.gpus,
            "context": self.context,
            "prefix_hit_rate": round(hits / queries, 4) if queries else None,
            **{key: sum(row[key] for row in rows) for key in ("limit", "preemptions", "refusals", "restarts")},
            "replicas": rows,
            "given_up": [f"replica {number}: {problem}" for number, problem in self._lost.items()],
        }


@asynccontextmanager
async def manned(
    fleet: Fleet, keepers: Sequence[Callable[[], Awaitable[None]]], client: aiohttp.ClientSession
) -> AsyncIterator[Fleet]:
    """The fleet with all replicas up, each watched and kept up by its keeper. Raises what a keeper raises first."""
    keeping = [asyncio.ensure_future(keep()) for keep in keepers]
    watching = [asyncio.ensure_future(replica.watch(client)) for replica in fleet.replicas]
    try:
        await _all_up(fleet, keeping)
        for replica, task in zip(fleet.replicas, keeping, strict=True):
            task.add_done_callback(partial(_lost, fleet, replica))
        yield fleet
    finally:
        for task in (*watching, *keeping):
            task.cancel()
        await asyncio.gather(*watching, *keeping, return_exceptions=True)


async def _all_up(fleet: Fleet, keeping: Sequence[asyncio.Future[None]]) -> None:
    while not all(replica.up for replica in fleet.replicas):
        for task in keeping:
            if task.done():
                await task
        await asyncio.wait(keeping, timeout=0.05, return_when=asyncio.FIRST_COMPLETED)


def _lost(fleet: Fleet, replica: Replica, done: asyncio.Future[None]) -> None:
    if done.cancelled():
        return
    problem = done.exception()
    fleet.lose(
        replica, problem if isinstance(problem, FactoryError) else RunError(f"keeping vllm up broke: {problem!r}")
    )
