"""An outline becomes pages: one for all of it, or one for each section and entry that says enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from datafactory.corpora.markup.outline import Block, Section, written
from datafactory.corpora.spec import RawPage

Split = Literal["heading", "page"]
"""`heading`: sections and named entries are pages of their own, with `#name` in their url; `page`: a file is a page."""

Resolve = Callable[[str], str | None]
"""From a link as it is written to a url of the corpus; None: it leads elsewhere."""


def split(page: Section, url: str, how: Split, least_words: int, resolve: Resolve, place: str) -> Iterator[RawPage]:
    """The pages of one file, the file's own first. A section without a name, or with fewer than `least_words` words of
    its own, stays in the one around it; then its names are names of that page."""
    made = _Splitting(page.title, url, resolve, place)
    made.keep(page, how, least_words)
    yield from made.pages(page)


class _Splitting:
    def __init__(self, title: str, url: str, resolve: Resolve, place: str) -> None:
        self._title, self._url, self._resolve, self._place = title, url, resolve, place
        self._whole: set[int] = set()

    def keep(self, page: Section, how: Split, least: int) -> None:
        """Decide which sections are pages, the innermost first."""
        order = [page]
        for section in order:
            order.extend(section.sections())
        words: dict[int, int] = {}
        for section in reversed(order):
            merged = sum(words[id(inner)] for inner in section.sections() if id(inner) not in self._whole)
            words[id(section)] = section.words() + merged
            if section is page or (how == "heading" and section.fragment and words[id(section)] >= least):
                self._whole.add(id(section))

    def pages(self, page: Section) -> Iterator[RawPage]:
        """A page for each section that is one."""
        waiting = [page]
        while waiting:
            section = waiting.pop()
            blocks: list[Block] = []
            links: list[str] = []
            ids: list[str] = []
            inner: list[Section] = []
            self._gather(section, blocks, links, ids, inner)
            yield self._page(section, blocks, links, ids, inner)
            waiting.extend(reversed(inner))

    def _gather(
        self, section: Section, blocks: list[Block], links: list[str], ids: list[str], inner: list[Section]
    ) -> None:
        """What is on the page of a section, and the sections below that are pages themselves."""
        waiting: list[Section | Block] = [section]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Block):
                blocks.append(part)
            elif part is not section and id(part) in self._whole:
                inner.append(part)
            else:
                if part is not section and part.title and not part.is_entry:
                    blocks.append(Block(part.title))
                links += part.links
                ids += part.ids
                waiting.extend(reversed(part.parts))

    def _page(
        self, section: Section, blocks: list[Block], links: list[str], ids: list[str], inner: list[Section]
    ) -> RawPage:
        own = self._named(section)
        text = written(blocks) or "\n".join(f"- {each.title}" for each in inner if each.title)
        found = [url for link in links if (url := self._resolve(link)) is not None]
        found += [self._named(each) for each in inner]
        return RawPage(
            url=own,
            title=self._titled(section),
            text=text,
            links=tuple(dict.fromkeys(found)),
            aliases=tuple(dict.fromkeys(alias for name in ids if (alias := f"{self._url}#{name}") != own)),
            place=self._place,
        )

    def _named(self, section: Section) -> str:
        return f"{self._url}#{section.fragment}" if section.level else self._url

    def _titled(self, section: Section) -> str:
        if not section.level:
            return self._title or self._url
        if section.is_entry or not self._title:
            return section.title or section.fragment
        return f"{self._title} › {section.title or section.fragment}"
