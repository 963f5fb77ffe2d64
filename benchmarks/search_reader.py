"""Reads the raw pages of a corpus as a doubting reader would: what could be said of which page, by words alone.

Independent of `generators.search`: nothing of it is imported, and nothing is cut beforehand. It holds the words of the
whole corpus in memory, which suits a benchmark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache

from datafactory.corpora import Corpus

LONGEST = 8
"""Words of the longest title that is looked for in a text."""
SENTENCE = re.compile(r"(?<=[.!?])(?<!\b[A-Z]\.)\s+(?=[\"'(\[<A-Z0-9])|\n\s*\n")
"""Where a sentence ends: not after an initial, `J. R. Smith`."""


WORD = re.compile(r"[^\W_]+")
NOT_WORD = r"[\W_]+"


def plain(text: str) -> str:
    """The words of a text in lower case, one blank apart, with a blank at either end."""
    return f" {' '.join(WORD.findall(text.casefold()))} "


class Reader:
    """Pages by number, as words."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.titles: list[str] = []
        self.words: list[str] = []
        for page in corpus.pages():
            self.titles.append(page.title)
            self.words.append(plain(f"{page.title}\n{page.text}"))
        self.all = frozenset(range(len(self.titles)))
        self.containing = lru_cache(maxsize=4000)(self._containing)
        self.sentences = lru_cache(maxsize=20_000)(self._sentences)
        self.first = lru_cache(maxsize=None)(self._first)
        self.fields = lru_cache(maxsize=None)(self._fields)

    def _containing(self, phrase: str) -> frozenset[int]:
        """Pages whose text or title has the words of a phrase in a row."""
        wanted = plain(phrase)
        return (
            frozenset(number for number, words in enumerate(self.words) if wanted in words)
            if wanted.strip()
            else self.all
        )

    def _sentences(self, page: int) -> tuple[str, ...]:
        """The sentences of a page, roughly, each as words; the title stands before the first one."""
        made = self.corpus.page(page)
        return tuple(plain(part) for part in SENTENCE.split(f"{made.title}\n\n{made.text}"))

    def _first(self, page: int) -> str:
        """The first line of a page's text: of a manual's entry, its signature."""
        return self.corpus.page(page).text.partition("\n")[0].strip()

    def names(self, page: int) -> set[str]:
        """What a page's subject may be called: its title, and that without what stands in parentheses; of a module's
        page what stands before the dash."""
        title = self.titles[page]
        forms = {title, re.sub(r"\s*\(.*\)", "", title)}
        if "›" not in title:  # a section of a page is not called as the page is
            forms.add(re.split(r"\s[—–]\s", title)[0])
        return {name for form in forms if (name := plain(form).strip())}

    def short_names(self, page: int) -> set[str]:
        """The same, and the last part of a dotted name: in its own module a function goes by that."""
        last = re.match(r"[\w.]*\.(\w+)(?:\(.*\))?$", self.titles[page])
        return self.names(page) | ({plain(last[1]).strip()} if last else set())

    def named_in(self, page: int, quote: str) -> bool:
        """Whether a text names a page's subject: `bytes` are not the magazine `Byte`."""
        initial = self.titles[page].rpartition(".")[2][:1] or self.titles[page][:1]
        for name in self.short_names(page):
            found = re.finditer(rf"(?<![^\W_]){NOT_WORD.join(name.split())}(?:e?s)?(?![^\W_])", quote, re.IGNORECASE)
            if any(initial == match[0][:1] or not initial.isupper() for match in found):
                return True
        return False

    def _fields(self, page: int) -> frozenset[str]:
        """What stands in angle brackets on a page, as dictionaries mark the fields of their entries."""
        marks = re.findall(r"<([^<>]{1,60})>", self.corpus.page(page).text)
        return frozenset(plain(field).strip() for mark in marks for field in mark.split(","))

    @cached_property
    def classes(self) -> frozenset[str]:
        """Names of the pages that a manual begins with the word `class` or `exception`."""
        begun = (page for page in self.all if self.first(page).startswith(("class ", "exception ")))
        return frozenset(name for page in begun for name in self.names(page))

    @cached_property
    def mentions(self) -> list[frozenset[int]]:
        """For each page, the pages that it links to, and those whose names stand in its text."""
        called: dict[str, list[int]] = {}
        for page in self.all:
            for name in self.names(page):
                called.setdefault(name, []).append(page)
        made = []
        for page, words in enumerate(self.words):
            found = {other for run in _runs(words.split()) for name in singular(run) for other in called.get(name, ())}
            made.append(frozenset((found | set(self.corpus.links(page))) - {page}))
        return made

    @cached_property
    def mentioned_by(self) -> list[frozenset[int]]:
        """For each page, the pages that mention it."""
        made: list[set[int]] = [set() for _ in self.titles]
        for page, others in enumerate(self.mentions):
            for other in others:
                made[other].add(page)
        return list(map(frozenset, made))


def _runs(row: list[str]) -> Iterable[str]:
    return {
        " ".join(row[start : start + size]) for size in range(1, LONGEST + 1) for start in range(len(row) - size + 1)
    }


def singular(name: str) -> tuple[str, ...]:
    """A name, and what it may be the plural of."""
    endings = [ending for ending in ("s", "es") if name.endswith(ending) and len(name) > len(ending) + 2]
    return (name, *(name.removesuffix(ending) for ending in endings))


def stems(phrase: str) -> Iterator[str]:
    """The longer words of a phrase, without their endings."""
    return (word[: max(4, len(word) - 2)] for word in plain(phrase).split() if len(word) > 3)
