"""The keeper: starts each job when its slot has come, and takes up what was left unfinished."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from datafactory.errors import ConfigError, DataError, FactoryError
from datafactory.scheduling.book import Book
from datafactory.scheduling.clock import Clock
from datafactory.scheduling.due import take_due
from datafactory.scheduling.job import Job
from datafactory.scheduling.lease import Lease
from datafactory.scheduling.slots import Slot, following

_LOOK = 15.0
"""Seconds at most between two looks at the clock, which may have been set, and at the jobs' files."""


class Worker(Protocol):
    """Who does a slot's work."""

    async def work(self, job: Job, slot: Slot) -> Slot:
        """Run it, or go on with it, to its end; gives the slot with another state than `running`.

        It is cancelled when the keeper stops; the same slot then comes once more.
        """
        ...


class Keeper:
    """A long-lived process: `keep` runs until it is cancelled, `once` does what is due and returns.

    A slot is taken in the book before anything of it is done, and the book never goes back: however often the keeper
    is killed, the clock set or a run outlasts the next slots, each slot is taken once. Of each job one slot runs at a
    time.
    """

    def __init__(
        self,
        jobs: Callable[[], Sequence[Job]],
        book: Book,
        worker: Worker,
        lease: Lease,
        *,
        at_once: int = 1,
        say: Callable[[str], None] = print,
    ) -> None:
        self._jobs, self._book, self._worker, self._lease = jobs, book, worker, lease
        self._clock: Clock = lease.clock
        self._room = asyncio.Semaphore(at_once)
        self._say = say
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._known: Sequence[Job] = ()
        self._said = ""
        self._looked: set[str] = set()
        """Jobs of which no slot is left unfinished."""

    async def keep(self) -> None:
        """Keep the jobs. Raises LeaseLost where another keeper has taken over."""
        held = False
        try:
            while True:
                if self._lease.hold():
                    if not held:
                        self._say(f"keeper {self._lease.holder} is at work")
                    held = True
                    self._start()
                elif not held:
                    self._once_said(f"{self._lease.who()} keeps these jobs; waiting for it to stop")
                await self._rest(self._pause())
        finally:
            await self._stop()
            self._lease.leave()

    async def once(self) -> bool:
        """Do what is due now, and what was left unfinished; False: another keeper is at work. Raises LeaseLost."""
        if not self._lease.hold():
            return False
        beating = asyncio.create_task(self._beat())
        try:
            while True:
                self._start()
                if not self._busy:
                    return True
                await asyncio.wait([*self._busy.values(), beating], return_when=asyncio.FIRST_COMPLETED)
                if beating.done():
                    beating.result()
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            await self._stop()
            self._lease.leave()

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(_LOOK)
            self._lease.hold()

    def _start(self) -> None:
        """Begin the work of each job that has some, and none in hand."""
        self._gather()
        now = self._clock.now()
        for job in self._read():
            if job.name in self._busy:
                continue
            if slot := self._unfinished(job) or take_due(job, self._book, now, self._lease.holder):
                self._busy[job.name] = asyncio.create_task(self._work(job, slot))

    def _read(self) -> Sequence[Job]:
        """The jobs as their files say now; while those are wrong, as they said before."""
        try:
            self._known = self._jobs()
        except (ConfigError, DataError) as error:
            self._once_said(f"{error}\njobs go on as their files were before")
        return self._known

    def _unfinished(self, job: Job) -> Slot | None:
        """What an earlier keeper left; ours comes to an end of some kind, so that one look is enough."""
        if job.name in self._looked:
            return None
        left = self._book.open_slots(job.name)
        if not left:
            self._looked.add(job.name)
        return next(iter(left), None)

    async def _work(self, job: Job, slot: Slot) -> None:
        async with self._room:
            again = slot.began is not None
            slot = slot.model_copy(update={"holder": self._lease.holder, "began": slot.began or self._clock.now()})
            self._book.write(slot)
            self._say(f"{job.name} {slot.stamp}: {'goes on' if again else 'begins'}")
            try:
                ended = await self._worker.work(job, slot)
            except FactoryError as error:
                ended = slot.model_copy(update={"state": "failed", "reasons": (str(error),)})
            self._book.write(ended.model_copy(update={"ended": self._clock.now()}))
            why = f": {'; '.join(ended.reasons)}" if ended.reasons else ""
            self._say(f"{job.name} {slot.stamp}: {ended.state}{why}")

    def _gather(self) -> None:
        for name, task in list(self._busy.items()):
            if task.done():
                del self._busy[name]
                task.result()

    def _pause(self) -> float:
        """Seconds until there may be something to do."""
        now = self._clock.now()
        ahead = [found for job in self._known if (found := following(job.file.cron, job.file.timezone, now))]
        until = min(((found - now).total_seconds() for found in ahead), default=_LOOK)
        return min(_LOOK, max(0.05, until))

    async def _rest(self, seconds: float) -> None:
        """Wait, but not past the end of a job's work: its next slot may have come."""
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait([sleeping, *self._busy.values()], return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            await asyncio.gather(sleeping, return_exceptions=True)

    async def _stop(self) -> None:
        for task in self._busy.values():
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)
        self._busy.clear()

    def _once_said(self, text: str) -> None:
        if text != self._said:
            self._say(text)
        self._said = text
