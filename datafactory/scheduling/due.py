"""Which slot of a job is next, and what becomes of those whose time went by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from datafactory.scheduling.book import Book
from datafactory.scheduling.job import Job
from datafactory.scheduling.slots import Slot, slots

FRESH = 30.0
"""Seconds that a slot may be old and count as in time: a keeper looks at the clock every few seconds."""


def take_due(job: Job, book: Book, now: datetime, holder: str) -> Slot | None:
    """Take the slot that is to run now; None: there is none. Slots that nobody makes up for are taken as missed."""
    if book.is_paused(job.name):
        pass_over(job, book, now, holder)
        return None
    came = _came(job, book, now)
    late = timedelta(hours=0 if job.file.catch_up == "none" else job.file.late, seconds=FRESH)
    fresh = [at for at in came if now - at <= late]
    _miss(job, book, came[: len(came) - len(fresh)], holder)
    if not fresh:
        return None
    at, besides = (fresh[0], []) if job.file.catch_up == "all" else (fresh[-1], fresh[:-1])
    slot = _slot(job, at, besides, holder)
    return slot if book.take(slot) else None


def pass_over(job: Job, book: Book, now: datetime, holder: str) -> None:
    """Take every slot that has come as missed."""
    _miss(job, book, _came(job, book, now), holder)


def _came(job: Job, book: Book, now: datetime) -> list[datetime]:
    return list(slots(job.file.cron, job.file.timezone, book.since(job.name, now), now))


def _miss(job: Job, book: Book, gone: Sequence[datetime], holder: str) -> None:
    if gone:
        book.take(_slot(job, gone[-1], gone[:-1], holder).model_copy(update={"state": "missed"}))


def _slot(job: Job, at: datetime, besides: Sequence[datetime], holder: str) -> Slot:
    first = besides[0] if besides else None
    slot = Slot(job=job.name, at=at, first=first, besides=len(besides), holder=holder)
    return slot.model_copy(update={"run": f"{job.name}-{slot.stamp}"})
