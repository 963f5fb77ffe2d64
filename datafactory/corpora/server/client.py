"""A corpus behind a search server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson

from datafactory.corpora.batching import Batcher
from datafactory.corpora.library import LONGEST, MOST, URL
from datafactory.corpora.server.wire import BODY, HEADER, QUERIES
from datafactory.errors import ConfigError, SearchError, boundary
from datafactory.types import Hit, Page

if TYPE_CHECKING:
    import aiohttp

    from datafactory.corpora.blocking import Blocklist
    from datafactory.corpora.retrievers.retriever import Retriever

_PAUSES = (0.1, 0.5, 2.0)
"""Seconds before each further try where the connection was lost or the server is busy; a server that restarts is
back within them."""
_LANES = 2
"""Requests to search that are under way at once: one is answered while the next is written."""
_TIMEOUT = 120.0
"""Seconds for one request, as ASearcher's client gives it."""


@asynccontextmanager
async def served(
    corpus_name: str,
    *,
    address: str | None = None,
    retriever: Retriever | None = None,
    blocked: Blocklist | None = None,
) -> AsyncIterator[Remote]:
    """The server at an address (else: where DATAFACTORY_SEARCH_URL says), which must have this corpus, and if they are
    given search with this retriever and block these pages. Raises ConfigError, SearchError."""
    import aiohttp

    base = _base(address or os.environ.get(URL, ""))
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT, sock_connect=10)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=64)) as session:
        made = Remote(base, session)
        await made.greet(corpus_name, retriever, blocked)
        try:
            yield made
        finally:
            await made.close()


class Remote:
    """A `Library` behind a server; searches that are asked at the same time travel together."""

    def __init__(self, base: str, session: aiohttp.ClientSession) -> None:
        self.corpus = self.digest = ""
        self.base = base
        self._session = session
        self._batcher = Batcher(self._search, lanes=_LANES, most=QUERIES)

    async def greet(self, name: str, retriever: Retriever | None, blocked: Blocklist | None) -> None:
        """Ask the server what it has. Raises ConfigError where that is something else, SearchError."""
        info = await self._send("GET", "/info")
        if not (isinstance(info, dict) and {"corpus", "digest", "retriever", "blocked"} <= info.keys()):
            raise ConfigError(f"what answers at {self.base} is no search server of datafactory ({URL})")
        problems = []
        if info["corpus"] != name:
            problems.append(f"it has {info['corpus']}, and {name} is wanted")
        if retriever is not None and info["retriever"] != retriever.describe():
            problems.append(f"it searches with {info['retriever']}, and {retriever.describe()} is wanted")
        if blocked is not None and info["blocked"] != blocked.digest:
            problems.append("it blocks other pages than are to be blocked")
        if problems:
            way = f"`datafactory corpora serve {name}` starts another, or unset {URL}"
            raise ConfigError([f"the search server at {self.base}: {problem}; {way}" for problem in problems])
        self.corpus, self.digest = info["corpus"], info["digest"]

    async def retrieve(self, queries: Sequence[str], *, topk: int = 5) -> list[list[Hit]]:
        """See `Library.retrieve`; cut as in process. Raises SearchError."""
        if topk < 1:
            raise ConfigError(f"topk must be at least 1, not {topk}")
        return await self._batcher([_sendable(query[:LONGEST]) for query in queries], min(topk, MOST))

    async def access(self, urls: Sequence[str]) -> list[Page | None]:
        """See `Library.access`. Raises SearchError."""
        pages: list[Page | None] = []
        for at in range(0, len(urls), QUERIES):
            asked = {"urls": [_sendable(url[:LONGEST]) for url in urls[at : at + QUERIES]]}
            with boundary(SearchError, f"reading what the search server at {self.base} sent"):
                for row in (await self._send("POST", "/access", asked))["result"]:
                    pages.append(row and Page(row["url"], row["title"], row["contents"], tuple(row["links"])))
        return pages

    async def close(self) -> None:
        """Let requests end that are under way."""
        await self._batcher.close()

    async def _search(self, queries: list[str], topk: int) -> list[list[Hit]]:
        found: list[list[Hit]] = []
        for part in _parts(queries):
            answer = await self._send("POST", "/retrieve", {"queries": part, "topk": topk, "return_scores": True})
            with boundary(SearchError, f"reading what the search server at {self.base} sent"):
                found += [[_hit(row) for row in each] for each in answer["result"]]
        if len(found) != len(queries):
            raise SearchError(f"the search server at {self.base} answered {len(found)} of {len(queries)} queries")
        return found

    async def _send(self, method: str, path: str, body: Any = None) -> Any:
        """One request, tried again where the connection is lost or the server is busy."""
        import aiohttp

        data = None if body is None else orjson.dumps(body)
        for pause in (*_PAUSES, None):
            try:
                async with self._session.request(
                    method, self.base + path, data=data, headers={"content-type": "application/json"}
                ) as response:
                    answer = await response.read()
                    if response.status != 503 or pause is None:
                        return self._read(response.status, response.headers.get(HEADER), answer)
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
                if pause is None:
                    said = f"the search server at {self.base} does not answer ({type(error).__name__}: {error})"
                    raise SearchError(said) from error
            except TimeoutError as error:
                raise SearchError(f"the search server at {self.base} took longer than {_TIMEOUT:.0f} s") from error
            await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _read(self, status: int, digest: str | None, answer: bytes) -> Any:
        try:
            value = orjson.loads(answer)
        except orjson.JSONDecodeError as error:
            raise SearchError(f"the search server at {self.base} sent no JSON ({status}): {answer[:200]!r}") from error
        if status >= 400:
            said = value.get("detail", value) if isinstance(value, dict) else value
            refused = SearchError(f"the search server at {self.base} refused ({status}): {said}")
            refused.final = 400 <= status < 500
            raise refused
        if self.digest and digest != self.digest:
            raise ConfigError(f"the search server at {self.base} was replaced by one that answers differently")
        return value


def _base(address: str) -> str:
    if not address:
        raise ConfigError(f"no search server is named: set {URL}, such as http://127.0.0.1:8000")
    base = address if "://" in address else f"http://{address}"
    if not base.startswith(("http://", "https://")):
        raise ConfigError(f"{URL} must be an address such as http://127.0.0.1:8000, not {address!r}")
    return base.rstrip("/")


def _parts(queries: list[str]) -> list[list[str]]:
    """As many requests as their size needs; nearly always one."""
    parts: list[list[str]] = [[]]
    size = 0
    for query in queries:
        size += 6 * len(query) + 3  # a character takes 6 bytes of JSON at most
        if parts[-1] and size > BODY - 1024:
            parts.append([])
            size = 6 * len(query) + 3
        parts[-1].append(query)
    return parts


def _hit(row: dict[str, Any]) -> Hit:
    document = row["document"]
    title = document["title"]
    return Hit(document["url"], title, document["contents"][len(title) + 1 :], row["score"])


def _sendable(text: str) -> str:
    """Half a character, which no JSON can carry, becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
