"""The first pass of building a corpus: pages go to disk one after another as a source gives them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import IO, Self

from datafactory.corpora import passages
from datafactory.corpora.spec import Item, RawPage, Redirect, Unread
from datafactory.corpora.stored import REJECTS
from datafactory.corpora.urls import Naming, mark, marks

ROW = Struct("<5q")
PASSAGE = Struct("<3q")
ENTRY = Struct("<2Q")
"""Of an alias: its mark and its page's number. Of a link: the mark of its url, and of that url without a fragment."""
REDIRECT = Struct("<3Q")
"""Its own mark, and the two of its target, as of a link."""
COUNT = Struct("<q")
MARK = Struct("<Q")
_BUFFER = 1 << 20
DRAFTS = ("rows", "cuts", "own", "aliases", "redirects", "links", "link_counts")
NOTES = ("places", "leads")
"""Texts of any length, by number: where each page was read, and what each redirect said."""


class Draft:
    """The files of a corpus in the making. What does not fit in memory is never asked to: each page is written and
    forgotten."""

    def __init__(self, folder: Path, naming: Naming, words: int) -> None:
        self.folder, self._naming, self._words = folder, naming, words
        self.pages = 0
        self.rejected: Counter[str] = Counter()
        self._open = ExitStack()
        self._files: dict[str, IO[bytes]] = {}
        self._text_end = self._names_end = 0

    def __enter__(self) -> Self:
        for name in (*DRAFTS, "text.bin", "names.bin", REJECTS):
            path = self.folder / (f"{name}.draft" if name in DRAFTS else name)
            self._files[name] = self._open.enter_context(path.open("wb", buffering=_BUFFER))
        self._notes = {name: self._open.enter_context(_Notes(self.folder, name)) for name in NOTES}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def take(self, items: Iterable[Item], limit: int | None, tell: Callable[[int], None]) -> None:
        """Write what a source gives, until `limit` pages; `tell` hears of every thousandth."""
        for item in items:
            if isinstance(item, Unread):
                self.reject(item)
            elif isinstance(item, Redirect):
                self._redirect(item)
            elif not item.url.strip():
                self.reject(Unread(item.place, "no_url"))
            elif not item.text.strip():
                self.reject(Unread(item.place, "empty", item.url))
            else:
                self._page(item)
                if self.pages % 1000 == 0:
                    tell(self.pages)
                if limit is not None and self.pages >= limit:
                    return

    def reject(self, unread: Unread) -> None:
        """Put on file what is no page of the corpus."""
        self.note(unread, self._files[REJECTS])

    def note(self, unread: Unread, file: IO[bytes]) -> None:
        """The same, in a file that was opened again."""
        self.rejected[unread.reason] += 1
        file.write(
            json.dumps({"place": unread.place, "reason": unread.reason, "detail": unread.detail}).encode() + b"\n"
        )

    def _redirect(self, item: Redirect) -> None:
        own, target = mark(item.url, self._naming), marks(item.target, self._naming)
        self._files["redirects"].write(REDIRECT.pack(own, *target))
        self._notes["leads"].write(f"{item.place}\n{item.url} -> {item.target}")

    def _page(self, item: RawPage) -> None:
        files, naming = self._files, self._naming
        text, url, title = _utf8(item.text), _utf8(item.url), _utf8(item.title or item.url)
        start, name = self._text_end, self._names_end
        self._text_end, self._names_end = start + len(text), name + len(url) + len(title)
        files["text.bin"].write(text)
        files["names.bin"].write(url + title)
        files["rows"].write(ROW.pack(start, self._text_end, name, name + len(url), self._names_end))
        files["own"].write(MARK.pack(mark(item.url, naming)))
        for first, last in passages.cut(item.text, self._words):
            if len(text) != len(item.text):
                first, last = len(_utf8(item.text[:first])), len(_utf8(item.text[:last]))
            files["cuts"].write(PASSAGE.pack(self.pages, start + first, start + last))
        for alias in self._aliases(item):
            files["aliases"].write(ENTRY.pack(alias, self.pages))
        for link in item.links:
            files["links"].write(ENTRY.pack(*marks(link, naming)))
        files["link_counts"].write(COUNT.pack(len(item.links)))
        self._notes["places"].write(item.place)
        self.pages += 1

    def _aliases(self, item: RawPage) -> Iterator[int]:
        """Marks of a page's other names; of headwords the spelling without regard to case is one of them."""
        if self._naming == "headword":
            yield marks(item.url, self._naming)[1]
        for alias in item.aliases:
            yield from dict.fromkeys(marks(alias, self._naming) if self._naming == "headword" else (mark(alias),))


class _Notes:
    """Texts one after another, and a file of where each ends."""

    def __init__(self, folder: Path, name: str) -> None:
        self._text, self._ends, self._end = folder / f"{name}.draft", folder / f"{name}_ends.draft", 0

    def __enter__(self) -> Self:
        self._files = (self._text.open("wb", buffering=_BUFFER), self._ends.open("wb", buffering=_BUFFER))
        return self

    def __exit__(self, *error: object) -> None:
        for file in self._files:
            file.close()

    def write(self, text: str) -> None:
        data = _utf8(text)
        self._end += len(data)
        self._files[0].write(data)
        self._files[1].write(COUNT.pack(self._end))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
