"""The account of a run: what its teachers have cost so far, held against what they may."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from datafactory.calls.budget import Budget, Price
from datafactory.calls.ledger import Call, Holding, Ledger
from datafactory.calls.spending import Spent
from datafactory.errors import BudgetSpent
from datafactory.protocols import Teacher
from datafactory.types import Reply

BEAT = 10.0
"""Seconds between two notes of how long GPUs are held: what a killed run may leave uncounted."""


def price_of(teacher: Teacher) -> Price:
    """What a teacher costs; all zeros where it does not say."""
    found = getattr(teacher, "price", None)
    return found if isinstance(found, Price) else Price()


def is_paid(teacher: Teacher) -> bool:
    """Whether its answers cost anything; one that does not say so (`paid`) is taken to be."""
    return bool(getattr(teacher, "paid", True))


@dataclass(frozen=True, slots=True)
class _Held:
    """GPUs that a teacher holds now."""

    id: str
    teacher: str
    gpus: int
    gpu_hour: float
    since: float
    """On the monotonic clock."""
    began: str

    def so_far(self) -> Holding:
        seconds = time.monotonic() - self.since
        dollars = self.gpus * seconds / 3600 * self.gpu_hour
        return Holding(self.id, self.teacher, self.gpus, seconds, dollars, self.began)


@dataclass(slots=True)
class _Hold:
    """GPUs that are held now, and how many teachers share them."""

    held: _Held
    noting: asyncio.Task[None]
    users: int = 0


def _spent(holding: Holding) -> Spent:
    return Spent(gpu_seconds=holding.gpus * holding.seconds, dollars=holding.dollars)


class Account:
    """Shared by the stages of a run. What runs before this one spent counts, as far as it is in the ledger."""

    def __init__(self, ledger: Ledger, budget: Budget | None = None, *, beat: float = BEAT) -> None:
        self.ledger = ledger
        self.budget = budget or Budget()
        self.in_flight = 0
        """Calls that were sent and are not answered, or not on disk yet."""
        self.found = 0
        """Answers that came from the ledger in this process."""
        self._beat = beat
        self._settled = asyncio.Event()
        self._spent = ledger.spending().total
        self._holds: dict[int, _Hold] = {}
        self._recipes: dict[int, tuple[Teacher, str]] = {}

    @property
    def spent(self) -> Spent:
        """Everything up to now."""
        return sum((_spent(hold.held.so_far()) for hold in self._holds.values()), self._spent)

    def reached(self) -> str:
        """Which cap is reached, in words; empty: none."""
        spent, caps = self.spent, self.budget
        for name, used, cap in (
            ("calls", spent.calls, caps.calls),
            ("tokens", spent.tokens, caps.tokens),
            ("gpu_hours", spent.gpu_hours, caps.gpu_hours),
            ("dollars", spent.dollars, caps.dollars),
        ):
            if cap is not None and used >= cap:
                return f"budget.{name} is spent: {round(used, 4):,} of {cap:,}"
        return ""

    def check(self) -> None:
        """Raises BudgetSpent where nothing more may be paid for."""
        if said := self.reached():
            raise BudgetSpent(said)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Room for one call: waits where those in flight may be the last ones. Raises BudgetSpent."""
        while True:
            self.check()
            if self.budget.calls is None or self._spent.calls + self.in_flight < self.budget.calls:
                break
            await self._settled.wait()
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            self._settled.set()
            self._settled = asyncio.Event()

    async def find(self, key: bytes) -> Reply | None:
        """The answer that was paid for before, if any. Raises DataError."""
        reply = await self.ledger.find(key)
        self.found += reply is not None
        return reply

    async def keep(self, key: bytes, call: Call) -> None:
        """Count an answer that was paid for, and put it on disk. Raises StorageError, DataError."""
        self._spent += call.spent
        await self.ledger.keep(key, call)

    @asynccontextmanager
    async def holding(self, teacher: Teacher, gpus: int, *, since: float, what: object) -> AsyncIterator[None]:
        """Count the time of GPUs that a teacher holds, `since` (monotonic clock) until the end of the block.

        Teachers that share `what` holds them (a fleet of servers) are counted as one, from the first one's start to the
        last one's end, at the first one's price.
        """
        if gpus <= 0:
            yield
            return
        hold = self._holds.get(id(what))
        if hold is None:
            hold = self._holds[id(what)] = self._taken(teacher, gpus, since)
        hold.users += 1
        try:
            await self.ledger.hold(hold.held.so_far())
            yield
        finally:
            hold.users -= 1
            if not hold.users:
                await self._let_go(hold, what)

    def _taken(self, teacher: Teacher, gpus: int, since: float) -> _Hold:
        began = datetime.now(UTC).isoformat(timespec="seconds")
        held = _Held(uuid.uuid4().hex, teacher.name, gpus, price_of(teacher).gpu_hour, since, began)
        return _Hold(held, asyncio.create_task(self._note(held)))

    async def _let_go(self, hold: _Hold, what: object) -> None:
        hold.noting.cancel()
        await asyncio.gather(hold.noting, return_exceptions=True)
        last = hold.held.so_far()
        del self._holds[id(what)]
        self._spent += _spent(last)
        await self.ledger.hold(last)

    async def _note(self, held: _Held) -> None:
        while True:
            await asyncio.sleep(self._beat)
            await self.ledger.hold(held.so_far())

    def recipe(self, teacher: Teacher, of: Callable[[Teacher], str]) -> str:
        """`of(teacher)`, worked out once a run."""
        if id(teacher) not in self._recipes:
            self._recipes[id(teacher)] = (teacher, of(teacher))
        return self._recipes[id(teacher)][1]
