"""Whether a bug or the infrastructure is to blame where a box breaks while tests run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from datafactory.errors import SandboxError
from datafactory.types import Reject

Place = TypeVar("Place")
Result = TypeVar("Result")


async def blamed(
    opened: Callable[[], AbstractAsyncContextManager[Place]], run: Callable[[Place], Awaitable[Result]]
) -> Result | Reject:
    """What `run` gives in a place where a bug's tests can be run. Where two of them broke meanwhile, the bug is what
    broke them: `breaks_box`. Raises SandboxError where a place cannot be opened."""
    for last in (False, True):
        taken = False
        try:
            async with opened() as place:
                taken = True
                return await run(place)
        except SandboxError as error:
            if not taken:
                raise
            if last:
                return Reject(reason="breaks_box", detail=f"two boxes broke while the tests ran: {error}")
    raise AssertionError
