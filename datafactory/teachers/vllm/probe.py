"""A look at one page of a server's, which never raises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from datafactory.teachers.openai_endpoint import on_loopback

_PATIENCE = aiohttp.ClientTimeout(total=10.0)
"""For a page that takes no work; a busy front end may need seconds."""


@dataclass(frozen=True, slots=True)
class Page:
    """What came back."""

    status: int
    """0: nobody listens there; 408: no answer in time."""
    body: bytes = b""

    @property
    def there(self) -> bool:
        """Whether somebody answers who is not unwell; a server that is slow is there."""
        return 0 < self.status < 500


def client(addresses: Iterable[str]) -> aiohttp.ClientSession:
    """For pages; servers that are not on the loopback may be behind a proxy that the environment names."""
    away = any(not on_loopback(urlsplit(address).hostname or "") for address in addresses)
    return aiohttp.ClientSession(timeout=_PATIENCE, trust_env=away, cookie_jar=aiohttp.DummyCookieJar())


async def fetch(session: aiohttp.ClientSession, url: str) -> Page:
    """One GET."""
    try:
        async with session.get(url) as response:
            return Page(response.status, await response.read())
    except TimeoutError:
        return Page(408)
    except (aiohttp.ClientError, OSError):
        return Page(0)
