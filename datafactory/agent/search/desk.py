"""Where an agent searches and reads: what it asks of the library, and the words in which it is told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from datafactory.agent.prompting import prompt
from datafactory.agent.search.limits import SearchLimits
from datafactory.agent.search.parts import parts, shortened
from datafactory.agent.search.summary import Summaries
from datafactory.errors import SearchError, boundary
from datafactory.protocols import Library
from datafactory.types import UNANSWERABLE, Page

MOST = 20
"""Passages that a search shows at most where an agent asks for more than the usual number."""
_PART = re.compile(r"(.*\S)\s+(\d{1,4})")


class Desk:
    """One attempt's; remembers what was shown, opened and answered."""

    def __init__(self, library: Library, limits: SearchLimits, summaries: Summaries) -> None:
        self._library = library
        self.limits = limits
        self.summaries = summaries
        self.answer: str | None = None
        """What was answered; None: nothing yet."""
        self._found: dict[str, None] = {}
        self._visited: dict[str, None] = {}
        self._searched: set[tuple[str, int]] = set()

    @property
    def found(self) -> tuple[str, ...]:
        """Urls of the pages whose passages were shown."""
        return tuple(self._found)

    @property
    def visited(self) -> tuple[str, ...]:
        """Urls of the pages that were opened."""
        return tuple(self._visited)

    async def search(self, queries: Iterable[str], topk: int | None = None) -> str:
        """What the library has on each of the queries: `topk` passages, as far as that is allowed. Raises
        SearchError."""
        asked, left_out = self._heeded(queries)
        if not asked:
            return prompt("search_results", searches=[], left_out=0)
        most = max(1, min(topk or self.limits.topk, max(self.limits.topk, MOST)))
        with boundary(SearchError, "searching"):
            found = await self._library.retrieve(asked, topk=most)
        searches = []
        for query, hits in zip(asked, found, strict=True):
            self._found.update(dict.fromkeys(hit.url for hit in hits))
            shown = [
                {"title": hit.title, "url": hit.url, "text": shortened(hit.text, self.limits.passage)} for hit in hits
            ]
            searches.append({"query": query, "hits": shown, "again": (query, most) in self._searched})
            self._searched.add((query, most))
        return prompt("search_results", searches=searches, left_out=left_out)

    async def visit(self, urls: Iterable[str], goal: str = "", part: int = 0) -> str:
        """The pages of the urls: whole, in parts, or summarised; a `part` (from 1) that is asked for as it is. Raises
        SearchError, TeacherError."""
        asked, left_out = self._heeded(urls)
        with boundary(SearchError, "opening pages"):
            pages = await self._library.access(asked) if asked else []
        shown = [await self._shown(url, page, goal, part) for url, page in zip(asked, pages, strict=True)]
        return prompt("search_pages", pages=shown, left_out=left_out)

    async def access(self, words: str) -> str:
        """The page of a url, which a number of a part may follow: `windows.html 2`. A page whose own url ends so
        (`Windows 95`) goes before. Raises SearchError, TeacherError."""
        numbered = _PART.fullmatch(words.strip())
        if numbered is None:
            return await self.visit([words])
        with boundary(SearchError, "opening pages"):
            whole, page = await self._library.access([" ".join(text.split()) for text in (words, numbered[1])])
        if whole is None and page is not None:
            return await self.visit([numbered[1]], part=int(numbered[2]))
        return await self.visit([words])

    def submit(self, answer: str, *, unanswerable: bool = False) -> None:
        """Take the answer."""
        said = answer.strip()
        self.answer = UNANSWERABLE if unanswerable or said.casefold().rstrip(".!") == UNANSWERABLE else said

    async def _shown(self, url: str, page: Page | None, goal: str, part: int) -> dict[str, object]:
        if page is None:
            return {"url": url, "missing": True}
        self._visited[page.url] = None
        told = {"url": page.url, "title": page.title, "missing": False, "links": page.links[: self.limits.links]}
        told["more_links"] = max(0, len(page.links) - self.limits.links)
        pieces = parts(page.text, self.limits.page)
        if len(pieces) > 1 and not part and (made := await self.summaries.of(page, goal)):
            most = self.limits.summary
            said = {"summary": shortened(made.summary, most), "evidence": shortened(made.evidence, most)}
            return {**told, **said, "parts": len(pieces)}
        number = min(max(1, part), len(pieces))
        return {**told, "summary": "", "text": pieces[number - 1], "part": number, "parts": len(pieces)}

    def _heeded(self, asked: Iterable[str]) -> tuple[list[str], int]:
        """What is asked for, each once and free of odd space, and how much of it is too much."""
        words: Sequence[str] = [" ".join(text.split()) for text in asked]
        plain = list(dict.fromkeys(text for text in words if text))
        return plain[: self.limits.queries], max(0, len(plain) - self.limits.queries)
