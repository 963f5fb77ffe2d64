"""Calls that come together are answered together, each with its own answers."""

from __future__ import annotations

import asyncio

import pytest

from datafactory.corpora.batching import Batcher
from datafactory.errors import SearchError


class Work:
    """Answers each query with itself in capitals; keeps what it was given."""

    def __init__(self, seconds: float = 0.01) -> None:
        self.given: list[tuple[int, int]] = []
        self.seconds, self.at_once, self.most = seconds, 0, 0

    async def __call__(self, queries: list[str], topk: int) -> list[str]:
        self.given.append((len(queries), topk))
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(self.seconds)
        self.at_once -= 1
        if "bad" in queries:
            raise SearchError("bad")
        return [f"{query.upper()}{topk}" for query in queries]


async def test_calls_of_one_moment_are_one_piece_of_work() -> None:
    work = Work()
    batcher = Batcher(work, lanes=1, most=100)
    answers = await asyncio.gather(*(batcher([f"a{n}", f"b{n}"], 3) for n in range(16)))
    assert answers == [[f"A{n}3", f"B{n}3"] for n in range(16)]
    assert work.given == [(32, 3)]


async def test_where_starting_costs_little_the_first_call_does_not_wait_for_others() -> None:
    work = Work()
    batcher = Batcher(work, lanes=1, most=100, eager=True)
    answers = await asyncio.gather(*(batcher([f"a{n}"], 3) for n in range(16)))
    assert answers == [[f"A{n}3"] for n in range(16)]
    assert work.given == [(1, 3), (15, 3)]


async def test_what_comes_while_all_lanes_are_busy_waits_and_goes_together() -> None:
    work = Work()
    batcher = Batcher(work, lanes=2, most=100)

    async def later(number: int) -> list[str]:
        await asyncio.sleep(0.001 * number)
        return await batcher([f"q{number}"], 1)

    answers = await asyncio.gather(*(later(number) for number in range(8)))
    assert answers == [[f"Q{number}1"] for number in range(8)]
    assert work.most == 2 and len(work.given) < 8


async def test_no_piece_of_work_is_larger_than_allowed_nor_of_mixed_depth() -> None:
    work = Work(0)
    batcher = Batcher(work, lanes=1, most=10)
    calls = [batcher([f"x{n}"] * 4, 1 + n % 2) for n in range(6)]
    large = batcher([f"y{n}" for n in range(25)], 1)
    answers = await asyncio.gather(*calls, large)
    assert answers[:-1] == [[f"X{n}{1 + n % 2}"] * 4 for n in range(6)]
    assert answers[-1] == [f"Y{n}1" for n in range(25)]
    assert max(size for size, _ in work.given) <= 10


async def test_a_failure_reaches_every_call_of_its_batch_and_no_other() -> None:
    batcher = Batcher(Work(), lanes=1, most=2)
    calls = [batcher(["a", "bad"], 1), batcher(["c"], 1), batcher([], 1)]
    batcher_busy = asyncio.create_task(batcher(["first"], 1))
    await asyncio.sleep(0)
    bad, good, nothing = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(bad, SearchError) and await batcher_busy == ["FIRST1"]
    assert (good, nothing) == (["C1"], [])


async def test_who_gives_up_waiting_disturbs_nobody() -> None:
    work = Work(0.05)
    batcher = Batcher(work, lanes=1, most=100, eager=True)
    first, gone, last = (asyncio.create_task(batcher([name], 1)) for name in ("first", "gone", "last"))
    await asyncio.sleep(0.01)
    gone.cancel()
    assert (await first, await last) == (["FIRST1"], ["LAST1"])
    assert work.given == [(1, 1), (1, 1)]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(batcher(["slow"], 1), 0.01)
    assert await batcher(["next"], 1) == ["NEXT1"]


async def test_closing_ends_those_who_wait() -> None:
    batcher = Batcher(Work(0.05), lanes=1, most=1)
    first, second = (asyncio.create_task(batcher([name], 1)) for name in "ab")
    await asyncio.sleep(0.01)
    assert batcher.waiting == 1
    await batcher.close()
    assert await first == ["A1"]
    with pytest.raises(asyncio.CancelledError):
        await second
