"""A corpus open for search in this process, and the way to whichever library there is."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from datafactory.corpora.batching import Batcher
from datafactory.corpora.blocking import NOTHING, Blocklist
from datafactory.corpora.retrievers.bm25 import BM25
from datafactory.corpora.retrievers.indexes import Tell, aloud
from datafactory.corpora.retrievers.indexes import opened as index_of
from datafactory.corpora.retrievers.retriever import Index, Ranking, Retriever
from datafactory.errors import ConfigError, SearchError, boundary
from datafactory.local import CORES
from datafactory.protocols import Library
from datafactory.types import Hit, Page, digest_of

if TYPE_CHECKING:
    from datafactory.corpora.corpus import Corpus

URL = "DATAFACTORY_SEARCH_URL"
"""The variable that names a search server, such as `http://127.0.0.1:8000`."""
LONGEST = 10_000
"""Characters of a query that are read."""
MOST = 1000
"""Passages that may be asked for."""
_BATCH = 256
"""Queries that are searched at once."""
_BRIEF = 500e-6
"""Seconds of work that are done on the spot: handing it to a thread and back takes a fifth of that."""
_TURN = 5e-3
"""Seconds after which others on the loop get their turn, also while one searches without pause."""
_KEPT = 1 << 15
"""Passages that are kept at hand as text: about 40 MB."""


def opened(
    corpus_name: str, retriever: Retriever | None = None, *, blocked: Blocklist = NOTHING
) -> AbstractAsyncContextManager[Library]:
    """The corpus of a name: at the search server that DATAFACTORY_SEARCH_URL names, else in this process.

    Raises ConfigError where it is not there, where the server has another one or searches in another way, or where
    pages should be blocked that the server does not block; SearchError.
    """
    wanted = retriever or BM25()
    if address := os.environ.get(URL, "").strip():
        from datafactory.corpora.server.client import served

        return served(corpus_name, address=address, retriever=wanted, blocked=blocked or None)
    from datafactory.corpora.corpus import find

    return library(find(corpus_name), wanted, blocked=blocked)


@asynccontextmanager
async def library(
    corpus: Corpus, retriever: Retriever | None = None, *, blocked: Blocklist = NOTHING, tell: Tell = aloud
) -> AsyncIterator[Shelves]:
    """A corpus in this process; its index is built first where there is none. Raises SearchError, ConfigError."""
    made = await asyncio.to_thread(Shelves, corpus, retriever or BM25(), blocked, tell)
    try:
        yield made
    finally:
        await made.close()


class Shelves:
    """A `Library` over a corpus on this machine. Its rankings are exact and the same for the same digest, however the
    calls come together."""

    def __init__(self, corpus: Corpus, retriever: Retriever, blocked: Blocklist = NOTHING, tell: Tell = aloud) -> None:
        self.corpus = corpus.name
        self.digest = digest(corpus.digest, retriever, blocked)
        self.pages = corpus
        self.retriever, self.blocked = retriever, blocked
        self._index: Index = index_of(retriever, corpus, tell)
        with boundary(SearchError, f"reading the block list for {corpus.name}"):
            self._barred = blocked.pages(corpus) if blocked else None
        self._threads = ThreadPoolExecutor(CORES, thread_name_prefix="search")
        self._batcher = Batcher(self._search, lanes=CORES, most=_BATCH, eager=True)
        self._doing = f"searching {corpus.name}"
        self._pace = 0.0
        self._turned = time.monotonic()
        self._passage = lru_cache(maxsize=_KEPT)(corpus.passages.shown)

    async def retrieve(self, queries: Sequence[str], *, topk: int = 5) -> list[list[Hit]]:
        """See `Library.retrieve`; of a query the first 10,000 characters are read, and a `topk` above 1,000 is 1,000.
        Raises SearchError."""
        passage = self._passage
        return [
            [Hit(*passage(number), score) for number, score in zip(*ranking, strict=True)]
            for ranking in await self.rank(queries, topk=topk)
        ]

    async def rank(self, queries: Sequence[str], *, topk: int = 5) -> list[Ranking]:
        """The same as numbers of passages and scores."""
        if topk < 1:
            raise ConfigError(f"topk must be at least 1, not {topk}")
        return await self._batcher([query[:LONGEST] for query in queries], min(topk, MOST))

    async def access(self, urls: Sequence[str]) -> list[Page | None]:
        """See `Library.access`; a url may be an alias, or have a fragment."""
        with boundary(SearchError, f"opening pages of {self.corpus}"):
            return [self._page(url) for url in urls]

    def passage(self, number: int) -> tuple[str, str, str]:
        """Url and title of its page, and the text of a passage."""
        return self._passage(number)

    @property
    def waiting(self) -> int:
        """Queries that nobody searches for yet."""
        return self._batcher.waiting

    async def close(self) -> None:
        """Let searches end that are under way."""
        await self._batcher.close()
        self._threads.shutdown(wait=False)

    async def _search(self, queries: list[str], topk: int) -> list[Ranking]:
        if not self._pace or self._pace * len(queries) > _BRIEF:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._timed, queries, topk)
        if time.monotonic() - self._turned > _TURN:
            await asyncio.sleep(0)
            self._turned = time.monotonic()
        return self._timed(queries, topk)

    def _timed(self, queries: list[str], topk: int) -> list[Ranking]:
        begun = time.perf_counter()
        with boundary(SearchError, self._doing):
            found = self._index.search(queries, topk, barred=self._barred)
        pace = (time.perf_counter() - begun) / len(queries)
        self._pace = 0.9 * self._pace + 0.1 * pace if self._pace else pace
        return found

    def _page(self, url: str) -> Page | None:
        number = self.pages.number(url)
        if number is None or (self._barred is not None and self._barred[number]):
            return None
        if self.blocked.blocks(url, self.pages.manifest.naming):
            return None
        return self.pages.page(number)


def digest(corpus: str, retriever: Retriever, blocked: Blocklist) -> str:
    """Of a corpus (its digest), how it is searched and what is blocked in it."""
    return digest_of({"corpus": corpus, "retriever": retriever.describe(), "blocked": blocked.digest})
