"""The facts of a corpus and the words of its pages, in one database beside it."""

from __future__ import annotations

import json
import sqlite3
import threading
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from datafactory.corpora import Corpus
from generators.search.facts.fact import Fact
from generators.search.facts.sentences import folded

ANYTHING = "term"
"""The kind of dictionary entries that do not say what they are."""
_REMEMBERED = 300
"""Expressions whose pages are kept in memory, 8 bytes a page: the same words are looked for again and again."""
_FACT = "relation, value, key, quote, how, target, asked"


class FactsIndex:
    """Read-only, safe for threads. Pages go by their numbers in the corpus."""

    def __init__(self, path: Path, corpus: Corpus) -> None:
        self.corpus = corpus
        self._path = path
        self._local = threading.local()
        self._reading = lru_cache(maxsize=_REMEMBERED)(self._matching)
        self._having = lru_cache(maxsize=_REMEMBERED)(self._told)

    @property
    def _base(self) -> sqlite3.Connection:
        base: sqlite3.Connection | None = getattr(self._local, "base", None)
        if base is None:
            base = self._local.base = sqlite3.connect(f"{self._path.as_uri()}?mode=ro&immutable=1", uri=True)
            base.execute("pragma mmap_size = 1073741824")
        return base

    def name(self, page: int) -> str:
        """What the subject of a page is called."""
        row = self._base.execute("select name from subjects where page = ?", (page,)).fetchone()
        return str(row[0]) if row else self.corpus.title_of(page)

    def kinds(self, page: int) -> list[str]:
        """What kind of thing a page is about, the most exact first: `functional language`, `language`; empty: unknown,
        or of several senses."""
        row = self._base.execute("select kinds from subjects where page = ?", (page,)).fetchone()
        return str(row[0]).split("\t") if row and row[0] else []

    def settled(self, page: int) -> bool:
        """Whether a page is an entry of a manual, whose kind is known from its form."""
        row = self._base.execute("select settled from subjects where page = ?", (page,)).fetchone()
        return bool(row and row[0])

    def facts(self, page: int) -> list[Fact]:
        """All facts of a page."""
        rows = self._base.execute(f"select {_FACT} from facts where page = ? order by rowid", (page,))
        return [_fact(row) for row in rows]

    def saying(self, target: int) -> list[tuple[int, Fact]]:
        """Facts of other pages that lead to a page, with the pages that state them."""
        rows = self._base.execute(f"select page, {_FACT} from facts where target = ? order by rowid", (target,))
        return [(row[0], _fact(row[1:])) for row in rows]

    def values(self, relation: str, limit: int) -> list[tuple[str, str, str]]:
        """Values of a relation with their keys and verbs, the frequent first."""
        rows = self._base.execute(
            "select value, key, how from facts where relation = ? group by key order by count(*) desc, key limit ?",
            (relation, limit),
        )
        return [tuple(row) for row in rows]

    def roots(self) -> list[tuple[str, int, int]]:
        """What may be asked, as relation, first row and number of rows; `title` stands for the subjects themselves."""
        rows = self._base.execute("select relation, first, rows from roots order by relation")
        return [tuple(row) for row in rows]

    def root(self, relation: str, row: int) -> tuple[int, Fact | None]:
        """The page of a row of `roots`, and the fact whose value may be asked for."""
        if relation == "title":
            return int(self._base.execute("select page from titled where rowid = ?", (row,)).fetchone()[0]), None
        found = self._base.execute(
            f"select page, {_FACT} from facts where rowid = (select fact from asked where rowid = ?)", (row,)
        ).fetchone()
        return int(found[0]), _fact(found[1:])

    def having(self, relation: str, keys: Sequence[str], within: Collection[int] | None, limit: int) -> set[int]:
        """Pages with a fact of that relation and one of the keys; of fields those of every sense."""
        return _common(self._having(relation, tuple(keys)), within, limit)

    def reading(self, match: str, within: Collection[int] | None, limit: int) -> set[int]:
        """Pages whose title or text matches an FTS5 expression, of some pages or of all; no more than `limit`. An empty
        expression matches none."""
        return _common(self._reading(match), within, limit)

    def named(self, names: Collection[str]) -> set[int]:
        """Pages whose subject has one of some folded names."""
        rows = self._base.execute(
            "select page from names where name in (select value from json_each(?))", (json.dumps(list(names)),)
        )
        return {row[0] for row in rows}

    def names(self, page: int) -> list[str]:
        """Every folded name of a page's subject: its title, what it goes by, its abbreviations."""
        return [row[0] for row in self._base.execute("select name from names where page = ?", (page,))]

    def _matching(self, match: str) -> array[int]:
        if not match:
            return array("l")
        rows = self._base.execute("select rowid from words where words match ? order by rowid", (match,))
        return array("l", (row[0] for row in rows))

    def _told(self, relation: str, keys: tuple[str, ...]) -> array[int]:
        asked = "relation = ? and key in (select value from json_each(?))"
        query = f"select distinct page from facts where {asked} order by page"
        return array("l", (row[0] for row in self._base.execute(query, (relation, json.dumps(keys)))))


def _common(pages: array[int], within: Collection[int] | None, limit: int) -> set[int]:
    """Pages of a sorted array: those of a set, or the first."""
    if within is None:
        return set(pages[:limit])
    if len(within) * 20 > len(pages):
        return set(pages).intersection(within)
    return {page for page in within if (at := bisect_left(pages, page)) < len(pages) and pages[at] == page}


def phrase(text: str, *, begins: bool = False) -> str:
    """An FTS5 expression for the words of a text in a row; `begins`: the last may go on (plurals). Empty: no words."""
    words = folded(text)
    return f'"{words}"{"*" if begins else ""}' if words else ""


def either(expressions: Iterator[str]) -> str:
    """An FTS5 expression for one of several. Empty: none of them has words."""
    said = [expression for expression in expressions if expression]
    return f"({' OR '.join(said)})" if said else ""


def _fact(row: tuple[str, str, str, str, str, int | None, int]) -> Fact:
    relation, value, key, quote, how, target, asked = row
    return Fact(relation, value, key, quote, how, target, bool(asked))
