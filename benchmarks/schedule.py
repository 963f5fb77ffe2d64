"""Simulates regeneration jobs over many days, through kills, clock changes and runs that outlast their slots.

    python benchmarks/schedule.py --days 10 --seed 1

The keeper, the book and the lease are the real ones; the clock is simulated, and so is the work. A job has a slot each
minute. Keepers of two hosts take turns: each is killed at random moments (it leaves no word), the wall clock is set
forward and back at random, by up to a day, and one run in fifty lasts up to half an hour. Prints how many slots cron
names up to the last one taken, and how many were taken once, twice or never; it ends with an error
where any was not taken exactly once, or two slots of the job ran at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import itertools
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from datafactory.scheduling import Book, Job, Keeper, Lease, Slot, slots
from datafactory.scheduling.job import JobFile

BEGIN = datetime(2026, 3, 27, tzinfo=UTC)
"""Two days before clocks go forward in Europe."""


@dataclass
class SimulatedClock:
    """Time that passes when everybody waits for it."""

    passed: float = 0.0
    offset: float = 0.0
    """What the wall clock was set forward, in seconds."""
    _waiting: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    _number: itertools.count[int] = field(default_factory=itertools.count)

    def now(self) -> datetime:
        """What the wall clock shows."""
        return BEGIN + timedelta(seconds=self.passed + self.offset)

    def monotonic(self) -> float:
        """What has passed."""
        return self.passed

    async def sleep(self, seconds: float) -> None:
        """Wait for it to pass."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self.passed + max(seconds, 0.0), next(self._number), woken))
        await woken

    async def pass_to(self, moment: float) -> None:
        """Let time pass, waking everybody in turn."""
        while True:
            for _ in range(12):  # let whoever was woken come to where he waits again
                await asyncio.sleep(0)
            if not self._waiting or self._waiting[0][0] > moment:
                break
            self.passed, _, woken = heapq.heappop(self._waiting)
            if not woken.done():
                woken.set_result(None)
        self.passed = max(self.passed, moment)


@dataclass
class SimulatedWork:
    """Work that takes its time, and notes what was done."""

    clock: SimulatedClock
    rng: random.Random
    long: float = 0.02
    at_work: set[str] = field(default_factory=set)
    finished: Counter[datetime] = field(default_factory=Counter)
    overlapped: int = 0

    async def work(self, job: Job, slot: Slot) -> Slot:
        """See `Worker`."""
        self.overlapped += job.name in self.at_work
        self.at_work.add(job.name)
        try:
            await self.clock.sleep(self.rng.uniform(60, 1800) if self.rng.random() < self.long else 5.0)
        finally:
            self.at_work.discard(job.name)
        self.finished[slot.at] += 1
        return slot.model_copy(update={"state": "done"})


@dataclass(frozen=True)
class Outcome:
    """What a simulation came to."""

    named: int
    """Slots that cron names from the first sight of the job to the last that was taken."""
    taken: Counter[datetime]
    """How often each was taken: by itself, or as one that another stands for."""
    finished: Counter[datetime]
    overlapped: int
    kills: int
    set_clocks: int

    @property
    def once(self) -> bool:
        """Whether every slot was taken exactly once, and none ran beside another."""
        return len(self.taken) == self.named and set(self.taken.values()) <= {1} and not self.overlapped


async def simulate(
    folder: Path, *, days: float, seed: int, catch_up: str = "newest", kill_every: float = 3.0
) -> Outcome:
    """`days` of wall time, in which keepers are killed and clocks are set every `kill_every` hours or so."""
    rng, clock = random.Random(seed), SimulatedClock()
    file = JobFile.model_validate({"pipeline": "p.yaml", "cron": "* * * * *", "catch_up": catch_up, "late": 10_000})
    job, work = Job("minutes", folder / "minutes.yaml", file), SimulatedWork(clock, rng)
    kills = set_clocks = 0
    while clock.passed < days * 86_400:
        lease = Lease(folder / "keeper", clock, host=f"host{kills % 2}", pid=1000 + kills)
        keeper = Keeper(lambda: [job], Book(folder), work, lease, say=lambda _: None)
        task = asyncio.create_task(keeper.keep())
        until = clock.passed + rng.expovariate(1 / (kill_every * 3600))
        while clock.passed < until:
            await clock.pass_to(min(until, clock.passed + rng.expovariate(1 / (kill_every * 3600))))
            clock.offset += rng.choice([-1, 1]) * rng.uniform(1, 86_400) if rng.random() < 0.1 else rng.uniform(-90, 90)
            set_clocks += 1
        lease.term = 0  # killed: it gives nothing back
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        kills += 1
    return _outcome(folder, job, clock, work, kills, set_clocks)


def _outcome(
    folder: Path, job: Job, clock: SimulatedClock, work: SimulatedWork, kills: int, set_clocks: int
) -> Outcome:
    taken: Counter[datetime] = Counter()
    for slot in Book(folder).slots(job.name):
        taken[slot.at] += 1
        if slot.first is not None:
            before = slot.at - timedelta(seconds=1)
            beside = list(slots(job.file.cron, "UTC", slot.first - timedelta(seconds=1), before))
            assert len(beside) == slot.besides, f"{slot.stamp} stands for {slot.besides} slots, of {len(beside)}"
            taken.update(beside)
    begun = datetime.fromisoformat((folder / job.name / "since").read_text())
    last = max(taken, default=begun)
    named = sum(1 for _ in slots(job.file.cron, "UTC", begun, last))
    return Outcome(named, taken, work.finished, work.overlapped, kills, set_clocks)


def main() -> None:
    """Simulate and count."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--days", type=float, default=10)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--catch-up", choices=("newest", "all"), default="newest")
    told = asked.parse_args()
    # In memory: files are synced thrice for each slot, and years of disk time are not what is simulated.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="schedule-", dir=memory if memory.is_dir() else None) as folder:
        began = time.perf_counter()
        made = asyncio.run(simulate(Path(folder), days=told.days, seed=told.seed, catch_up=told.catch_up))
        seconds = time.perf_counter() - began
    print(
        f"{told.days:g} days in {seconds:.0f} s: {made.named:,} slots, {made.kills} kills, the clock set "
        f"{made.set_clocks} times; taken once {sum(n == 1 for n in made.taken.values()):,}, more than once "
        f"{sum(n > 1 for n in made.taken.values())}, never {made.named - len(made.taken)}; runs finished "
        f"{sum(made.finished.values()):,}, of them twice {sum(n > 1 for n in made.finished.values())}; "
        f"beside another {made.overlapped}"
    )
    if not made.once:
        raise SystemExit("a slot was not taken exactly once")


if __name__ == "__main__":
    main()
