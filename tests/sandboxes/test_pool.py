"""The warm pool: fresh things, handed out once, made ahead of demand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from datafactory.errors import Missing, SandboxError
from sandboxes.pool import WarmPool


class Works:
    """Makes numbers, and writes down what it was asked for."""

    def __init__(self) -> None:
        self.made = 0
        self.tries = 0
        self.at_work = 0
        self.most_at_work = 0
        self.discarded: list[int] = []
        self.broken = False
        self.error: Exception = SandboxError("the engine is down")
        self.gate = asyncio.Event()
        self.gate.set()

    async def make(self) -> int:
        self.tries += 1
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            await self.gate.wait()
            if self.broken:
                raise self.error
            self.made += 1
            return self.made
        finally:
            self.at_work -= 1

    async def discard(self, thing: int) -> None:
        self.discarded.append(thing)

    def pool(self, size: int, *, at_once: int = 4, usable: Callable[[int], bool] = lambda thing: True) -> WarmPool[int]:
        return WarmPool(self.make, self.discard, size=size, at_once=at_once, usable=usable)


async def settled(until: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not until():
            await asyncio.sleep(0.001)


async def at_once(waiting: Awaitable[int]) -> int:
    async with asyncio.timeout(0.2):
        return await waiting


async def test_what_is_ready_is_taken_without_waiting_and_replaced() -> None:
    works = Works()
    pool = works.pool(2)
    pool.fill()
    await settled(lambda: pool.ready == 2)
    works.gate.clear()
    assert await at_once(pool.take()) == 1
    assert await at_once(pool.take()) == 2
    works.gate.set()
    await settled(lambda: pool.ready == 2)
    assert works.made == 4
    await pool.close()


async def test_nothing_is_handed_out_twice() -> None:
    works = Works()
    pool = works.pool(3)
    taken = await asyncio.gather(*(pool.take() for _ in range(50)))
    assert sorted(taken) == sorted(set(taken))
    await pool.close()
    assert not set(works.discarded) & set(taken)
    assert len(taken) + len(works.discarded) == works.made


async def test_a_pool_of_size_zero_makes_on_demand_only() -> None:
    works = Works()
    pool = works.pool(0)
    pool.fill()
    await asyncio.sleep(0.02)
    assert works.tries == 0
    assert await pool.take() == 1
    await asyncio.sleep(0.02)
    assert works.made == 1
    await pool.close()


async def test_no_more_are_made_at_a_time_than_allowed() -> None:
    works = Works()
    works.gate.clear()
    pool = works.pool(10, at_once=3)
    takers = [asyncio.create_task(pool.take()) for _ in range(8)]
    await settled(lambda: works.at_work == 3)
    works.gate.set()
    await asyncio.gather(*takers)
    assert works.most_at_work == 3
    await pool.close()


async def test_who_waits_gets_the_error_of_the_making() -> None:
    works = Works()
    works.broken = True
    pool = works.pool(0)
    with pytest.raises(SandboxError, match="the engine is down"):
        await pool.take()
    works.broken = False
    assert await at_once(pool.take()) == 1
    await pool.close()


@pytest.mark.parametrize("error", [SandboxError("down"), Missing("no such image"), ZeroDivisionError("a mistake")])
async def test_an_engine_in_trouble_is_not_asked_again_and_again(error: Exception) -> None:
    works = Works()
    works.error = error
    works.broken = True
    pool = works.pool(4)
    pool.fill()
    await asyncio.sleep(0.3)
    assert 1 <= works.tries <= 4, "four at first, then one at a time after half a second or more"
    await pool.close()


async def test_who_asks_during_a_pause_does_not_wait_for_its_end() -> None:
    works = Works()
    works.broken = True
    pool = works.pool(1)
    pool.fill()
    await settled(lambda: works.tries == 1)
    await asyncio.sleep(0.01)
    works.broken = False
    assert await at_once(pool.take()) == 1
    await pool.close()


async def test_who_gives_up_leaves_what_was_made_to_the_next() -> None:
    works = Works()
    works.gate.clear()
    pool = works.pool(1, at_once=1)
    taker = asyncio.create_task(pool.take())
    await settled(lambda: works.at_work == 1)
    taker.cancel()
    await asyncio.sleep(0)
    works.gate.set()
    await settled(lambda: pool.ready == 1)
    assert works.discarded == []
    assert await at_once(pool.take()) == 1
    await pool.close()


async def test_what_spoiled_while_it_waited_is_discarded() -> None:
    works = Works()
    pool = works.pool(1, usable=lambda thing: thing > 1)
    pool.fill()
    await settled(lambda: pool.ready == 1)
    assert await at_once(pool.take()) == 2
    assert works.discarded == [1]
    await pool.close()


async def test_closing_discards_what_is_ready_and_refuses_who_waits() -> None:
    works = Works()
    pool = works.pool(2)
    pool.fill()
    await settled(lambda: pool.ready == 2)
    works.gate.clear()
    await pool.take()
    await pool.take()
    taker = asyncio.create_task(pool.take())
    await asyncio.sleep(0.01)
    await pool.close()
    with pytest.raises(SandboxError, match="closed"):
        await taker
    with pytest.raises(SandboxError, match="closed"):
        await pool.take()
    assert works.at_work == 0
