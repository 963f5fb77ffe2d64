"""`Run.each`: what it pulls, how much at a time, and what it does with every kind of ending."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from datafactory.errors import RunError, StorageError
from datafactory.run import Run
from datafactory.storage import Shelf
from datafactory.types import Record, Reject


class Row(Record):
    """A row of these tests."""

    id: str
    n: int


def numbered(count: int) -> list[tuple[str, int]]:
    return [(f"k{n}", n) for n in range(count)]


async def double(key: str, n: int) -> Row:
    return Row(id=key, n=2 * n)


def run_on(shelf: Shelf[Row], tries: int = 3) -> Run[Row]:
    return Run(shelf, tries=tries, pause=0.0)


async def test_every_item_gives_one_record_in_whatever_order_it_ends(tmp_path: Path) -> None:
    async def slowly(key: str, n: int) -> Row:
        await asyncio.sleep(random.random() * 0.01)
        return await double(key, n)

    async with Shelf(tmp_path, Row) as shelf:
        run = run_on(shelf)
        await run.each(numbered(60), slowly, at_once=16)
        assert {row.id: row.n for row in shelf} == {f"k{n}": 2 * n for n in range(60)}
        assert [row.n for row in shelf] != sorted(row.n for row in shelf)
        assert (run.progress.finished, run.progress.failed, run.progress.busy) == (60, 0, 0)
        assert run.progress.rate > 0


@pytest.mark.parametrize("at_once", [1, 3, 17])
async def test_at_once_is_reached_and_never_passed(tmp_path: Path, at_once: int) -> None:
    now = most = 0

    async def watched(key: str, n: int) -> Row:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.002)
        now -= 1
        return await double(key, n)

    async with Shelf(tmp_path, Row) as shelf:
        await run_on(shelf).each(numbered(50), watched, at_once=at_once)
    assert most == at_once


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_items_are_pulled_only_as_workers_are_free(tmp_path: Path, asynchronous: bool) -> None:
    pulled = ended = ahead = 0

    def plain() -> Iterator[tuple[str, int]]:
        nonlocal pulled, ahead
        for item in numbered(100):
            pulled += 1
            ahead = max(ahead, pulled - ended)
            yield item

    async def streamed() -> AsyncIterator[tuple[str, int]]:
        for item in plain():
            await asyncio.sleep(0)
            yield item

    async def work(key: str, n: int) -> Row:
        nonlocal ended
        await asyncio.sleep(0.001)
        ended += 1
        return await double(key, n)

    async with Shelf(tmp_path, Row) as shelf:
        await run_on(shelf).each(streamed() if asynchronous else plain(), work, at_once=5)
        assert shelf.kept == 100
    assert ahead <= 5


async def test_what_is_on_the_shelf_is_not_paid_for_again(tmp_path: Path) -> None:
    paid: list[str] = []

    async def work(key: str, n: int) -> Row | Reject:
        paid.append(key)
        return Reject(reason="odd") if n % 2 else await double(key, n)

    async with Shelf(tmp_path, Row) as shelf:
        await run_on(shelf).each(numbered(10), work, at_once=3)
        assert (shelf.kept, dict(shelf.dropped)) == (5, {"odd": 5})
    async with Shelf(tmp_path, Row) as shelf:
        run = run_on(shelf)
        await run.each(numbered(12), work, at_once=3)
        assert (run.progress.skipped, run.progress.finished) == (10, 2)
    assert sorted(paid) == sorted(key for key, _ in numbered(12))


async def test_a_reject_gets_the_key_of_its_item_unless_it_has_one(tmp_path: Path) -> None:
    async def work(key: str, n: int) -> Reject:
        return Reject(reason="no", key="own" if n else "")

    async with Shelf(tmp_path, Row) as shelf:
        await run_on(shelf).each(numbered(2), work, at_once=1)
        assert shelf.has("k0")
        assert shelf.has("own")


async def test_another_error_ends_the_run_at_once_and_stops_the_rest(tmp_path: Path) -> None:
    begun: list[str] = []
    stopped: list[str] = []

    async def work(key: str, n: int) -> Row:
        begun.append(key)
        try:
            if n == 3:
                raise ZeroDivisionError("a mistake in the work")
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append(key)
            raise
        return await double(key, n)

    async with Shelf(tmp_path, Row) as shelf:
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(run_on(shelf).each(numbered(100), work, at_once=8), 5)
        assert shelf.kept == 0
        assert shelf.lost == set()
    assert 4 <= len(begun) <= 8
    assert sorted([*stopped, "k3"]) == sorted(begun)


async def test_a_run_that_is_cancelled_leaves_no_task_and_closes_its_source(tmp_path: Path) -> None:
    closed = False

    async def source() -> AsyncIterator[tuple[str, int]]:
        nonlocal closed
        try:
            for item in numbered(100):
                yield item
        finally:
            closed = True

    async def work(key: str, n: int) -> Row:
        await asyncio.sleep(0.001 if n < 20 else 60)
        return await double(key, n)

    async with Shelf(tmp_path, Row) as shelf:
        going = asyncio.create_task(run_on(shelf).each(source(), work, at_once=4))
        while shelf.kept < 20:
            await asyncio.sleep(0.001)
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
    assert closed
    assert asyncio.all_tasks() == {asyncio.current_task()}
    async with Shelf(tmp_path, Row) as shelf:
        assert shelf.kept == 20


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_an_error_of_the_source_ends_the_run_and_keeps_what_was_done(tmp_path: Path, asynchronous: bool) -> None:
    def plain() -> Iterator[tuple[str, int]]:
        yield from numbered(5)
        raise LookupError("the source broke")

    async def streamed() -> AsyncIterator[tuple[str, int]]:
        for item in plain():
            yield item

    async with Shelf(tmp_path, Row) as shelf:
        with pytest.raises(LookupError, match="the source broke"):
            await run_on(shelf).each(streamed() if asynchronous else plain(), double, at_once=1)
        assert shelf.kept == 5


@pytest.mark.parametrize("at_once", [1, 8])
async def test_a_key_that_comes_twice_ends_the_run_at_any_width(tmp_path: Path, at_once: int) -> None:
    async with Shelf(tmp_path, Row) as shelf:
        with pytest.raises(RunError, match="two items have the key 'k1'"):
            await run_on(shelf).each([*numbered(3), ("k1", 1)], double, at_once=at_once)
    async with Shelf(tmp_path, Row) as shelf:
        assert sorted(row.id for row in shelf) == sorted({row.id for row in shelf})


async def test_an_empty_source_ends_at_once(tmp_path: Path) -> None:
    async with Shelf(tmp_path, Row) as shelf:
        await run_on(shelf).each([], double, at_once=4)
        assert shelf.kept == 0


async def test_a_record_of_a_stage_before_is_found_and_a_missing_one_is_said(tmp_path: Path) -> None:
    class Other(Record):
        """Another kind."""

        id: str

    async with Shelf(tmp_path / "1", Row) as before, Shelf(tmp_path / "2", Other) as shelf:
        await before.keep("a", Row(id="a", n=1))
        run = Run(shelf, shelves=[before])
        assert run.find(Row, "a") == Row(id="a", n=1)
        with pytest.raises(RunError, match="no stage before this one made the Row 'b'"):
            run.find(Row, "b")
        with pytest.raises(RunError, match="made the Other 'a'"):
            run.find(Other, "a")


async def test_an_error_of_the_disk_ends_the_run_and_is_no_items_fault(tmp_path: Path) -> None:
    async def work(key: str, n: int) -> Row:
        if n == 4:
            (tmp_path / "records.jsonl").mkdir()
        return await double(key, n)

    async with Shelf(tmp_path, Row) as shelf:
        with pytest.raises(StorageError, match=r"writing .*records\.jsonl"):
            await run_on(shelf).each([("k4", 4), *numbered(3)], work, at_once=1)
        assert shelf.lost == set()
