"""Slots: the moments at which a cron line wants a job to run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

State = Literal["running", "done", "published", "held", "failed", "missed"]
OPEN: State = "running"
STAMP = "%Y%m%dT%H%MZ"
"""How a slot is called: its minute, in UTC."""


class Slot(BaseModel):
    """One slot that was taken, and what came of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    job: str
    at: datetime
    """Its minute, in UTC."""
    state: State = OPEN
    """`running`; `done`: no release was asked for; `published`; `held`: it waits for a person; `failed`: the run did
    not come to its end; `missed`: its time went by, and it is not made up for."""
    first: datetime | None = None
    """The first of the slots that this one stands for besides: their time went by before this one began."""
    besides: int = 0
    """How many those are."""
    holder: str = ""
    """Who runs it, or did: `<host>/<process>`."""
    tries: int = 0
    """How often its run ended before its time."""
    run: str = ""
    """The run's name."""
    began: datetime | None = None
    ended: datetime | None = None
    reasons: tuple[str, ...] = ()
    """Why it is held, or failed."""
    facts: dict[str, Any] = {}
    """What was measured of its run (`bars.measured`), and how it differs from the release that it was compared with."""
    told: bool = False
    """Whether the webhook took the news."""

    @property
    def stamp(self) -> str:
        """What its file and its run are called by."""
        return self.at.strftime(STAMP)


def slots(cron: str, timezone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """The slots later than `after`, up to and with `until`, in UTC, in their order.

    Where clocks go forward or back in `timezone`, they are those of Debian's cron: a job of fixed hours in the hour
    that comes twice runs once, one in the hour that is left out runs right after it. Raises ValueError for a bad line.
    """
    last = after
    for found in _from(cron, timezone, after):
        if found > until:
            return
        if found > last:
            last = found
            yield found


def endless(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """All later slots; they end where there is none within fifty years."""
    return slots(cron, timezone, after, datetime.max.replace(tzinfo=UTC))


def following(cron: str, timezone: str, after: datetime) -> datetime | None:
    """The next slot; None: there is none within fifty years."""
    return next(endless(cron, timezone, after), None)


def _from(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    from cronsim import CronSim, CronSimError

    try:
        if len(cron.split()) != 5:
            raise CronSimError("it has five fields")
        found = CronSim(cron, after.astimezone(ZoneInfo(timezone)))
    except CronSimError as error:
        raise ValueError(f"{cron!r} is no cron line ({error}); such as '0 3 * * 1' for Mondays at three") from error
    return (moment.astimezone(UTC) for moment in found)
