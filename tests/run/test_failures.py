"""Whose fault: what the infrastructure loses is tried again, written down, never counted, and stops a dead run."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from datafactory.errors import (
    BudgetSpent,
    FuseBlown,
    GeneratorError,
    SandboxError,
    StorageError,
    TeacherError,
    boundary,
)
from datafactory.run import FUSE, Run
from datafactory.storage import FAILURES, Shelf, rows
from datafactory.types import Failure, Record, Reject


class Row(Record):
    """A row of these tests."""

    id: str


def numbered(count: int) -> list[tuple[str, int]]:
    return [(f"k{n}", n) for n in range(count)]


async def test_a_fault_of_the_infrastructure_is_tried_again(tmp_path: Path) -> None:
    tried: dict[str, int] = {}

    async def work(key: str, n: int) -> Row:
        tried[key] = tried.get(key, 0) + 1
        if tried[key] < 3:
            raise SandboxError("no box")
        return Row(id=key)

    async with Shelf(tmp_path, Row) as shelf:
        run = Run(shelf, tries=3, pause=0.0)
        await run.each(numbered(5), work, at_once=2)
        assert shelf.kept == 5
        assert shelf.lost == set()
        assert run.progress.failed == 0
    assert set(tried.values()) == {3}


async def test_what_stays_lost_is_written_down_with_its_boundary_and_counts_for_nothing(tmp_path: Path) -> None:
    async def work(key: str, n: int) -> Row | Reject:
        if n == 1:
            with boundary(SandboxError, "opening a box"):
                raise OSError("no space")
        return Row(id=key)

    async with Shelf(tmp_path, Row) as shelf:
        run = Run(shelf, tries=2, pause=0.0)
        await run.each(numbered(3), work, at_once=1)
        assert (shelf.kept, shelf.lost, shelf.dropped.total()) == (2, {"k1"}, 0)
        assert (run.progress.finished, run.progress.failed, dict(run.progress.errors)) == (2, 1, {"opening a box": 1})
    (row,) = rows(tmp_path / FAILURES)
    failure = Failure.model_validate(row)
    assert (failure.key, failure.boundary, failure.kind, failure.tries) == ("k1", "opening a box", "SandboxError", 2)
    assert failure.error == "opening a box: OSError: no space"
    assert failure.at.endswith("+00:00")


async def test_the_next_run_picks_up_what_was_lost_and_nothing_else(tmp_path: Path) -> None:
    broken = True
    paid: list[str] = []

    async def work(key: str, n: int) -> Row:
        paid.append(key)
        if broken and n == 1:
            raise TeacherError("503")
        return Row(id=key)

    async with Shelf(tmp_path, Row) as shelf:
        await Run(shelf, tries=1, pause=0.0).each(numbered(4), work, at_once=2)
        assert shelf.lost == {"k1"}
    broken = False
    async with Shelf(tmp_path, Row) as shelf:
        await Run(shelf, tries=1, pause=0.0).each(numbered(4), work, at_once=2)
        assert (shelf.lost, shelf.kept) == (set(), 4)
    assert sorted(paid) == ["k0", "k1", "k1", "k2", "k3"]


async def test_a_dead_server_blows_the_fuse_early(tmp_path: Path) -> None:
    tried = 0

    async def work(key: str, n: int) -> Row:
        nonlocal tried
        tried += 1
        with boundary(TeacherError, "asking the teacher"):
            raise ConnectionError("refused")

    async with Shelf(tmp_path, Row) as shelf:
        with pytest.raises(
            FuseBlown, match=r"20 of 20 items .* asking the teacher \(20, at last: .*refused\).*failures\.jsonl"
        ):
            await Run(shelf, tries=1, pause=0.0).each(numbered(10_000), work, at_once=1)
        assert len(shelf.lost) == FUSE
    assert tried == FUSE


@pytest.mark.parametrize(("lost_of_ten", "blows"), [(4, False), (5, False), (6, True)])
async def test_the_fuse_blows_where_failures_outnumber_successes(tmp_path: Path, lost_of_ten: int, blows: bool) -> None:
    async def work(key: str, n: int) -> Row:
        if n % 10 < lost_of_ten:
            raise SandboxError("no box")
        return Row(id=key)

    order = sorted(numbered(200), key=lambda item: (item[1] // 10, -item[1]))  # the good ones of each ten come first
    async with Shelf(tmp_path, Row) as shelf:
        going = Run(shelf, tries=1, pause=0.0).each(order, work, at_once=1)
        if blows:
            with pytest.raises(FuseBlown):
                await going
            return
        await going
        assert (shelf.kept, len(shelf.lost)) == (200 - 20 * lost_of_ten, 20 * lost_of_ten)


async def test_rejects_are_successes_of_the_infrastructure(tmp_path: Path) -> None:
    async def work(key: str, n: int) -> Reject:
        return Reject(reason="bad")

    async with Shelf(tmp_path, Row) as shelf:
        await Run(shelf).each(numbered(100), work, at_once=4)
        assert shelf.dropped["bad"] == 100


async def test_a_few_failures_of_a_small_run_do_not_blow_the_fuse(tmp_path: Path) -> None:
    async def work(key: str, n: int) -> Row:
        raise SandboxError("no box")

    async with Shelf(tmp_path, Row) as shelf:
        await Run(shelf, tries=1, pause=0.0).each(numbered(FUSE - 1), work, at_once=4)
        assert len(shelf.lost) == FUSE - 1


async def test_tries_are_spaced_out(tmp_path: Path) -> None:
    at: list[float] = []

    async def work(key: str, n: int) -> Row:
        at.append(asyncio.get_running_loop().time())
        raise SandboxError("no box")

    async with Shelf(tmp_path, Row) as shelf:
        await Run(shelf, tries=3, pause=0.05).each(numbered(1), work, at_once=1)
    first, second = at[1] - at[0], at[2] - at[1]
    assert first >= 0.025
    assert second >= 0.05


def test_a_mistake_behind_a_boundary_says_where_it_was_made() -> None:
    with pytest.raises(GeneratorError) as raised, boundary(GeneratorError, "making a draft with mine"):
        {}["key"]
    place = r"\(test_failures\.py:\d+\)"
    assert re.fullmatch(rf"making a draft with mine: KeyError: 'key' {place}", str(raised.value))


async def test_a_disk_that_refuses_what_was_paid_for_ends_the_run_and_nothing_is_paid_for_again(tmp_path: Path) -> None:
    tried: list[str] = []

    async def work(key: str, n: int) -> Row:
        tried.append(key)
        with boundary(TeacherError, "asking the teacher"):
            raise StorageError("calls.sqlite: database or disk is full")

    async with Shelf(tmp_path, Row) as shelf:
        with pytest.raises(StorageError, match="disk is full"):
            await Run(shelf, tries=3, pause=0.0).each(numbered(10), work, at_once=1)
        assert shelf.lost == set()
    assert tried == ["k0"]


async def test_where_the_budget_is_spent_what_costs_nothing_is_finished_and_the_rest_put_off(tmp_path: Path) -> None:
    tried: list[str] = []

    async def work(key: str, n: int) -> Row:
        tried.append(key)
        if n % 3:
            raise BudgetSpent("budget.calls is spent: 5 of 5")
        return Row(id=key)

    async with Shelf(tmp_path, Row) as shelf:
        run = Run(shelf, tries=3, pause=0.0)
        for _ in range(2):
            with pytest.raises(BudgetSpent, match="5 of 5"):
                await run.each(numbered(30), work, at_once=4)
        assert (shelf.kept, shelf.lost, run.progress.finished) == (10, set(), 10)
        assert (run.progress.unpaid, run.progress.failed) == (40, 0)
    assert sorted(set(tried)) == sorted(key for key, _ in numbered(30))
    assert len(tried) == 50
