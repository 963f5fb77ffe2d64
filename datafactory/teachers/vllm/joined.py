"""Following a server of somebody else's: up when it answers, down when it does not."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from datafactory.errors import ConfigError
from datafactory.teachers.openai_endpoint import Endpoint
from datafactory.teachers.vllm.probe import fetch
from datafactory.teachers.vllm.replica import Replica

_CHECK = 1.0
"""Seconds between two looks."""
_MISSED = 2
"""Looks in a row at which nobody answers, until the server counts as down."""


class Joined:
    """One replica whose server we do not own."""

    def __init__(
        self, replica: Replica, client: aiohttp.ClientSession, endpoint: Endpoint, *, model: str, patience: float
    ) -> None:
        self._replica = replica
        self._client = client
        self._endpoint = endpoint
        self._model = model
        self._patience = patience
        """Seconds that it may take to answer for the first time."""

    async def keep(self) -> None:
        """Follow it until cancelled. Raises ConfigError where it does not answer at first, or lacks the model."""
        began, missed, seen = time.monotonic(), 0, False
        while True:
            if await self._there():
                missed = 0
                if not self._replica.up:
                    if not seen:
                        await self._check()
                        await self._replica.look(self._client, self._endpoint.address)  # what it did before is not ours
                    seen = True
                    self._replica.rise(self._endpoint)
            elif not seen and time.monotonic() - began > self._patience:
                raise ConfigError(
                    f"teacher vllm: nothing answers at {self._endpoint.address} (for {self._patience:.0f} s); is the "
                    "server up, and the address right?"
                )
            elif seen:
                missed += 1
                if missed == _MISSED:
                    self._replica.fall()
            await asyncio.sleep(_CHECK)

    async def _there(self) -> bool:
        return (await fetch(self._client, f"{self._endpoint.address.removesuffix('/v1')}/health")).there

    async def _check(self) -> None:
        models = await self._endpoint.models()
        if models and self._model not in models:
            raise ConfigError(
                f"teacher vllm: the server at {self._endpoint.address} has no model {self._model!r}; it has "
                f"{', '.join(sorted(models))}"
            )
