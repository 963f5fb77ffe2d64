"""Tells a webhook what became of a slot."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

from datafactory.scheduling.job import Job
from datafactory.scheduling.slots import Slot

TROUBLE = ("held", "failed")
_TRIES, _SECONDS = 4, 10.0


def wants_news(job: Job, slot: Slot) -> bool:
    """Whether the job's webhook is to hear of the slot."""
    return job.file.webhook is not None and (slot.state in TROUBLE or job.file.news == "all")


def news(slot: Slot) -> dict[str, Any]:
    """What is sent: the slot's own fields, and `text`, a line that chats show."""
    why = f": {'; '.join(slot.reasons)}" if slot.reasons else ""
    own = slot.model_dump(mode="json", include={"job", "at", "state", "run", "reasons", "facts", "began", "ended"})
    return {"text": f"datafactory {slot.job} {slot.stamp} is {slot.state}{why}", **own}


async def tell(job: Job, slot: Slot, sleep: Callable[[float], Awaitable[None]]) -> str:
    """Post the news, a few times where nobody answers; gives what went wrong, or nothing."""
    import aiohttp
    from tenacity import AsyncRetrying, RetryError, retry_if_exception_type, stop_after_attempt, wait_exponential

    address = job.file.webhook or ""
    url = os.environ.get(address[1:], "") if address.startswith("$") else address
    again = AsyncRetrying(
        stop=stop_after_attempt(_TRIES),
        wait=wait_exponential(multiplier=2, max=30),
        retry=retry_if_exception_type((aiohttp.ClientError, TimeoutError)),
        sleep=sleep,
    )
    try:
        async for attempt in again:
            with attempt:
                timeout = aiohttp.ClientTimeout(total=_SECONDS)
                async with aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session:
                    await session.post(url, json=news(slot))
    except RetryError as error:
        return f"the webhook did not take the news: {error.last_attempt.exception()!r}"
    except ValueError as error:
        return f"the webhook's address is wrong: {error}"
    return ""
