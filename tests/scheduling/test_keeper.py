"""A keeper takes each slot once, through kills, clock changes and long runs; and what catch_up says is done."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.schedule import BEGIN, SimulatedClock, SimulatedWork, simulate
from datafactory.scheduling import Book, Job, Keeper, Lease, Slot
from datafactory.scheduling.lease import LeaseLost
from tests.scheduling.conftest import Write


def kept(clock: SimulatedClock, folder: Path, job: Job, work: object, host: str = "here", pid: int = 11) -> Keeper:
    lease = Lease(folder / "keeper", clock, host=host, pid=pid)
    return Keeper(lambda: [job], Book(folder), work, lease, say=lambda _: None)  # type: ignore[arg-type]


class Quick:
    """Work that is done at once."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def work(self, job: Job, slot: Slot) -> Slot:
        self.done.append(slot.stamp)
        return slot.model_copy(update={"state": "done"})


class Stuck(Quick):
    """Work that takes ten hours."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self.clock = clock

    async def work(self, job: Job, slot: Slot) -> Slot:
        self.done.append(slot.stamp)
        await self.clock.sleep(36_000)
        return slot.model_copy(update={"state": "done"})


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder whose files need no disk, where the machine has one: they are synced by the thousand."""
    place = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=place if place.is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.mark.parametrize(("seed", "catch_up"), [(1, "newest"), (2, "newest"), (3, "all")])
async def test_every_slot_is_taken_once_whatever_happens(memory: Path, seed: int, catch_up: str) -> None:
    made = await simulate(memory, days=0.2, seed=seed, catch_up=catch_up, kill_every=0.4)
    assert made.named > 100
    assert made.kills > 2
    assert made.once
    if catch_up == "all":
        assert set(made.finished) | {max(made.taken)} == set(made.taken)


@pytest.mark.parametrize(
    ("catch_up", "taken"),
    [
        ("newest", [("02", "missed", 1), ("09", "done", 6), ("10", "done", 0)]),
        ("all", [("02", "missed", 1), *((f"{hour:02}", "done", 0) for hour in range(3, 11))]),
        ("none", [("09", "missed", 8), ("10", "done", 0)]),
    ],
)
async def test_slots_whose_time_went_by(
    job: Write, memory: Path, catch_up: str, taken: list[tuple[str, str, int]]
) -> None:
    hourly, clock, work = job(cron="0 * * * *", catch_up=catch_up, late=6.5), SimulatedClock(), Quick()
    Book(memory).since(hourly.name, BEGIN)
    clock.offset = 9.4 * 3600
    task = asyncio.create_task(kept(clock, memory, hourly, work).keep())
    await clock.pass_to(3600)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    slots = list(Book(memory).slots(hourly.name))
    assert [(slot.stamp, slot.state, slot.besides) for slot in slots] == [
        (f"20260327T{hour}00Z", state, besides) for hour, state, besides in taken
    ]
    assert work.done == [slot.stamp for slot in slots if slot.state == "done"]


async def test_what_a_killed_keeper_began_goes_on_with_the_next(job: Write, memory: Path) -> None:
    hourly, clock = job(cron="0 * * * *"), SimulatedClock()
    stuck, quick = Stuck(clock), Quick()
    first = kept(clock, memory, hourly, stuck, host="one")
    task = asyncio.create_task(first.keep())
    await clock.pass_to(4000)
    first._lease.term = 0  # killed: it gives nothing back
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [slot.state for slot in Book(memory).slots("nightly")] == ["running"]
    second = asyncio.create_task(kept(clock, memory, hourly, quick, host="two").keep())
    await clock.pass_to(4030)
    assert quick.done == [], "the other host may still be at work"
    await clock.pass_to(4100)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert stuck.done == quick.done == ["20260327T0100Z"]
    assert [(slot.state, slot.holder) for slot in Book(memory).slots("nightly")] == [("done", "two/11")]


async def test_a_job_that_rests_misses_its_slots(job: Write, memory: Path) -> None:
    hourly, clock, quick = job(cron="0 * * * *"), SimulatedClock(), Quick()
    book = Book(memory)
    book.pause(hourly.name, rest=True)
    task = asyncio.create_task(kept(clock, memory, hourly, quick).keep())
    await clock.pass_to(2 * 3600 + 60)
    book.pause(hourly.name, rest=False)
    await clock.pass_to(3 * 3600 + 60)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert quick.done == ["20260327T0300Z"]
    assert [slot.state for slot in book.slots(hourly.name)] == ["missed", "missed", "done"]


async def test_a_keeper_that_was_away_for_too_long_steps_down(job: Write, memory: Path) -> None:
    hourly, clock = job(cron="0 * * * *"), SimulatedClock()
    away = asyncio.create_task(kept(clock, memory, hourly, Quick(), host="one").keep())
    await clock.pass_to(20)
    other = Lease(memory / "keeper", clock, host="two", pid=5)
    assert not other.hold()
    waiting = clock._waiting[:]
    clock._waiting.clear()  # the first host stands still
    clock.passed += 61
    assert other.hold()
    clock._waiting = waiting
    await clock.pass_to(clock.passed + 60)
    with pytest.raises(LeaseLost, match="two/5 took over"):
        await away


async def test_once_does_what_is_due_and_ends(job: Write, memory: Path) -> None:
    hourly, clock, quick = job(cron="0 * * * *", catch_up="all"), SimulatedClock(), Quick()
    keeper = kept(clock, memory, hourly, quick)
    assert await keeper.once()
    clock.offset = timedelta(hours=3.5).total_seconds()
    assert await keeper.once()
    assert await keeper.once()
    assert quick.done == ["20260327T0100Z", "20260327T0200Z", "20260327T0300Z"]
    Lease(memory / "keeper", clock, host="two", pid=5).hold()
    assert not await keeper.once()


async def test_long_work_never_runs_beside_the_next_slot(job: Write, memory: Path) -> None:
    minutes, clock = job(cron="* * * * *"), SimulatedClock()
    work = SimulatedWork(clock, random.Random(1), long=1.0)
    task = asyncio.create_task(kept(clock, memory, minutes, work).keep())
    await clock.pass_to(7200)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert work.overlapped == 0
    assert sum(slot.besides for slot in Book(memory).slots(minutes.name)) > 50
