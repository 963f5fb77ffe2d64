"""Commons: what stages share is opened once, and closed whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import Field

from datafactory.run import Commons
from datafactory.spec import Spec


class Engine(Spec):
    """What is opened here."""

    size: int = 1
    address: str = Field(default="", exclude=True)


class Opened:
    """Counts what was opened and closed."""

    def __init__(self, pause: float = 0.0, fails: int = 0) -> None:
        self.opened = self.closed = 0
        self._pause = pause
        self._fails = fails

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[int]:
        if self._fails:
            self._fails -= 1
            raise OSError("not yet")
        self.opened += 1
        try:
            await asyncio.sleep(self._pause)
            yield self.opened
        finally:
            self.closed += 1


async def test_one_recipe_is_opened_once_however_many_ask() -> None:
    opened = Opened(pause=0.01)
    async with Commons() as commons:
        asked = [commons.get(Engine(), opened) for _ in range(5)]
        assert await asyncio.gather(*asked) == [1] * 5
        assert await commons.get(Engine(size=2), opened) == 2
        assert opened.closed == 0
    assert (opened.opened, opened.closed) == (2, 2)


async def test_a_field_that_moves_no_data_still_makes_another_live_thing() -> None:
    opened = Opened()
    async with Commons() as commons:
        assert await commons.get(Engine(address="http://one"), opened) == 1
        assert await commons.get(Engine(address="http://two"), opened) == 2


async def test_what_failed_to_open_is_tried_again_at_the_next_request() -> None:
    opened = Opened(fails=1)
    async with Commons() as commons:
        with pytest.raises(OSError, match="not yet"):
            await commons.get(Engine(), opened)
        assert await commons.get(Engine(), opened) == 1
    assert opened.closed == 1


async def test_one_who_gives_up_waiting_takes_nothing_from_the_others() -> None:
    opened = Opened(pause=0.02)
    async with Commons() as commons:
        first = asyncio.create_task(commons.get(Engine(), opened))
        second = asyncio.create_task(commons.get(Engine(), opened))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == 1
    assert (opened.opened, opened.closed) == (1, 1)


async def test_what_is_half_open_at_the_end_is_closed() -> None:
    opened = Opened(pause=60)
    async with Commons() as commons:
        waiting = asyncio.create_task(commons.get(Engine(), opened))
        await asyncio.sleep(0.01)
        waiting.cancel()
    assert (opened.opened, opened.closed) == (1, 1)
    assert asyncio.all_tasks() - {waiting} == {asyncio.current_task()}


async def test_some_of_it_can_be_closed_before_the_end_and_is_opened_anew_for_who_asks_again() -> None:
    small, large = Opened(), Opened()
    async with Commons() as commons:
        await commons.get(Engine(), small)
        await commons.get(Engine(size=2), large)
        await commons.close(lambda spec: spec == Engine(size=2))
        assert (small.closed, large.closed) == (0, 1)
        assert await commons.get(Engine(size=2), large) == 2
        assert await commons.get(Engine(), small) == 1
    assert (small.opened, small.closed, large.opened, large.closed) == (1, 1, 2, 2)


async def test_what_is_half_open_is_stopped_where_it_is_closed_early() -> None:
    opened = Opened(pause=60)
    async with Commons() as commons:
        waiting = asyncio.create_task(commons.get(Engine(), opened))
        await asyncio.sleep(0.01)
        await commons.close(lambda spec: True)
        assert (opened.opened, opened.closed) == (1, 1)
        with pytest.raises(asyncio.CancelledError):
            await waiting
