"""Which words a text is found by: lower case, stemmed, identifiers whole and in parts."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from threading import Lock
from typing import Protocol, cast

_WORD = r"\w+(?:\.\w+)*(?:\+\+|#)?"
_ANY = re.compile(_WORD)
_ASCII = re.compile(_WORD, re.ASCII)
_PARTS = re.compile(r"[._+#]+|(?<=[a-z0-9])(?=[A-Z])")
_MARKS = re.compile("[\u0300-\u036f]+")
_IDEOGRAPHS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
_LONGEST = 64
"""Characters of a word that count; more have only encoded data."""
_KEPT = 1 << 20
"""Words whose terms are remembered: those of most corpora, in about 200 MB."""

_QUESTIONS = frozenset(["what", "which", "who", "whom", "whose", "when", "where", "why", "how", "do", "does", "did"])
"""Words of English questions, which say nothing of what is looked for; not in the list of bm25s."""

_STOPPED = [
    "danish",
    "dutch",
    "french",
    "german",
    "italian",
    "norwegian",
    "portuguese",
    "russian",
    "spanish",
    "swedish",
    "turkish",
]
"""Languages with a list in bm25s, besides English."""


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...


class Words:
    """Texts as terms. `json.dumps` gives `json.dumps`, `json` and `dump`; `OrderedDict` gives `ordereddict`, `order`
    and `dict`; Chinese and Japanese give pairs of characters. Safe for threads."""

    def __init__(self, language: str | None, *, stopwords: bool = True) -> None:
        self._stopwords = _stopwords(language) if stopwords else frozenset()
        self._stemmer = _stemmer(language) if language else None
        self._lock = Lock()
        self._known: dict[str, tuple[str, ...]] = {}

    def raw(self, text: str) -> list[str]:
        """The words of a text as they are written."""
        return (_ASCII if text.isascii() else _ANY).findall(text)

    def terms(self, text: str) -> list[str]:
        """The terms of a text, in order, with repeats."""
        return [term for word in self.raw(text) for term in self.of(word)]

    def of(self, word: str) -> tuple[str, ...]:
        """The terms of one word as `raw` gives it; none for a stopword."""
        known = self._known.get(word)
        if known is None:
            known = self._terms(word)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[word] = known
        return known

    def _terms(self, word: str) -> tuple[str, ...]:
        word = word[:_LONGEST]
        if not word.isascii():
            if _IDEOGRAPHS.search(word):
                return tuple(_pairs(word))
            word = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", word)))
        whole = word.casefold()
        parts = [part.casefold() for part in _PARTS.split(word) if part]
        plain = tuple(self._stem(part) for part in parts if part not in self._stopwords)
        return plain if parts == [whole] else (whole, *plain)

    def _stem(self, word: str) -> str:
        if self._stemmer is None or not word.isalpha():
            return word
        with self._lock:  # a stemmer keeps its last word
            return self._stemmer.stemWord(word)


def _pairs(word: str) -> list[str]:
    made: list[str] = []
    at = 0
    for run in _IDEOGRAPHS.finditer(word):
        if before := word[at : run.start()].strip("._"):
            made.append(before.casefold())
        text = run[0]
        made += [text[i : i + 2] for i in range(len(text) - 1)] or [text]
        at = run.end()
    if after := word[at:].strip("._"):
        made.append(after.casefold())
    return made


@lru_cache
def _stopwords(language: str | None) -> frozenset[str]:
    from bm25s import stopwords

    if language == "english":
        return frozenset(stopwords.STOPWORDS_EN) | _QUESTIONS
    return frozenset(getattr(stopwords, f"STOPWORDS_{language.upper()}")) if language in _STOPPED else frozenset()


def _stemmer(language: str) -> _Stemmer:
    from Stemmer import Stemmer

    return cast(_Stemmer, Stemmer(language, 0))
