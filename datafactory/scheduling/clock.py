"""What time it is: the machine's clock, which may be set, and one that only ever goes on."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where a keeper gets its time from."""

    def now(self) -> datetime:
        """The wall clock's time, in UTC; somebody may set it forward or back."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; nobody can set it."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait, by the clock that nobody can set."""
        ...


class MachineClock:
    """This machine's."""

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See `Clock`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(seconds)
