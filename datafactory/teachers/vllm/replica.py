"""One server of a fleet: its gate, whether it is up, and what it says of itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from datafactory.teachers.gate import Gate, Load
from datafactory.teachers.openai_endpoint import Endpoint
from datafactory.teachers.vllm import metrics
from datafactory.teachers.vllm.probe import fetch
from datafactory.types import Reply

EVERY = 0.5
"""Seconds between two looks at a server's metrics."""


class Replica:
    """Where calls go. Whoever keeps the server says when it is up (`rise`) and when it is not (`fall`)."""

    def __init__(self, number: int, gate: Gate) -> None:
        self.number = number
        self.gate = gate
        self.gate.shut()
        self.episodes = 0
        """Episodes that stick to it."""
        self.restarts = 0
        """Times that it came back."""
        self.counted = metrics.Counted()
        self.address = ""
        """Up to and with `/v1`; changes when a server of ours is started again."""
        self.since = time.monotonic()
        """When it rose or fell at last."""
        self.changed: Callable[[], None] = lambda: None
        """Called when it rises or falls."""
        self._endpoint: Endpoint | None = None
        self._fell: asyncio.Future[None] | None = None

    @property
    def up(self) -> bool:
        """Whether calls can be sent."""
        return self._endpoint is not None

    @property
    def pressure(self) -> tuple[float, int]:
        """How busy it is, to be compared with others: calls for each place, then episodes."""
        return (self.gate.busy + self.gate.waiting) / self.gate.limit, self.episodes

    def rise(self, endpoint: Endpoint) -> None:
        """The server answers."""
        self.restarts += self._fell is not None
        endpoint.was_there = True
        self._endpoint, self.address = endpoint, endpoint.address
        self._fell = asyncio.get_running_loop().create_future()
        self.since = time.monotonic()
        self.gate.open()
        self.changed()

    def fall(self) -> None:
        """The server is gone; calls in flight go elsewhere, or wait for its return."""
        self._endpoint = None
        if self._fell is not None and not self._fell.done():
            self._fell.set_result(None)
            self.since = time.monotonic()
        self.gate.shut()
        self.changed()

    async def ask(self, data: bytes, order: int) -> Reply | None:
        """The answer to one request; None: the server went down before it came. Raises as `Endpoint.send` does."""
        endpoint, fell = self._endpoint, self._fell
        if endpoint is None or fell is None:
            return None
        call = asyncio.ensure_future(endpoint.send(data, order=order))
        try:
            await asyncio.wait((call, fell), return_when=asyncio.FIRST_COMPLETED)
            answered = call.done() and (not fell.done() or call.exception() is None)
            return call.result() if answered else None
        finally:
            if not call.done():
                call.cancel()
            await asyncio.gather(call, return_exceptions=True)

    async def models(self) -> dict[str, int | None]:
        """The models that the server lists, with the length of each one's context in tokens where it says so."""
        return await self._endpoint.models() if self._endpoint is not None else {}

    async def look(self, client: aiohttp.ClientSession, address: str) -> Load | None:
        """One look at the server's own metrics; None: they do not come, or are not vLLM's."""
        page = await fetch(client, f"{address.removesuffix('/v1')}/metrics")
        seen = metrics.read(page.body) if page.status == 200 else None
        return Load(seen.running, seen.waiting, seen.kv, self.counted.add(seen)) if seen is not None else None

    async def watch(self, client: aiohttp.ClientSession) -> None:
        """Steer the gate by the server's own metrics for as long as this runs."""
        while True:
            load = await self.look(client, self.address) if self.up else None
            if load is not None:
                self.gate.observe(load)
            await asyncio.sleep(EVERY)

    def report(self) -> dict[str, Any]:
        """What it did for us, as JSON."""
        counted = self.counted
        return {
            "address": self.address,
            "up": self.up,
            "limit": int(self.gate.limit),
            "busy": self.gate.busy,
            "waiting": self.gate.waiting,
            "refusals": self.gate.refusals,
            "restarts": self.restarts,
            "preemptions": counted.preempted,
            "prefix_queries": counted.queries,
            "prefix_hits": counted.hits,
        }
