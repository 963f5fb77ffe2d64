"""The index of a dictionary of the DICT server: headword, tab, start, tab, size, in base 64, one a line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from datafactory.corpora.spec import Unread
from datafactory.corpora.urls import folded

_DIGITS = {
    digit: value for value, digit in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_ABOUT = re.compile(r"00-?database")
"""Entries that say something about the dictionary, not about a word."""
_WORD = re.compile(r"[\W_]+")
_LARGEST = 64 << 20
"""Bytes of an entry that is still read."""


@dataclass(slots=True)
class Entry:
    """One piece of the text, and all headwords that lead to it."""

    start: int
    size: int
    headwords: list[str]


@dataclass(slots=True)
class Index:
    """The entries in the order of the text, and which headwords there are."""

    entries: list[Entry]
    broken: list[Unread]
    known: dict[str, str] = field(default_factory=dict)
    """From a headword's key, and from its letters and digits alone, to the headword."""

    def meant(self, term: str) -> str:
        """The headword that a reference means: itself, its singular, or one of the same letters; else the term."""
        for tried in (term, *_singulars(term)):
            if folded(tried) in self.known:
                return tried  # as it is spelled: case can tell two headwords apart
        letters = plain(term)
        return self.known.get(f"\0{letters}", term) if letters else term


def plain(term: str) -> str:
    """Its letters and digits alone, in lower case: how `dictfmt` writes headwords unless told otherwise."""
    return _WORD.sub(" ", term.casefold()).strip()


def read_index(data: bytes, path: str) -> Index:
    """Raises nothing: lines that cannot be read are `broken`."""
    found: dict[tuple[int, int], Entry] = {}
    broken = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip() or _ABOUT.match(line.decode(errors="replace")):
            continue
        columns = _text(line).rstrip("\r").split("\t")
        start, size = (_number(column) for column in columns[1:3]) if len(columns) >= 3 else (None, None)
        if start is None or size is None or not columns[0].strip() or size > _LARGEST:
            broken.append(Unread(f"{path}:{number}", "bad_index", repr(line[:80])[1:]))
            continue
        words = found.setdefault((start, size), Entry(start, size, [])).headwords
        words += [word for word in (*columns[3:4], columns[0]) if word and word not in words]
    index = Index(sorted(found.values(), key=lambda entry: (entry.start, entry.size)), broken)
    for entry in index.entries:
        for word in entry.headwords:
            index.known.setdefault(folded(word), word)
            index.known.setdefault(f"\0{plain(word)}", word)
    return index


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _number(text: str) -> int | None:
    if not text or len(text) > 10 or any(digit not in _DIGITS for digit in text):
        return None
    value = 0
    for digit in text:
        value = value * 64 + _DIGITS[digit]
    return value


def _singulars(term: str) -> tuple[str, ...]:
    """What an English plural may be the plural of."""
    last = term.rstrip().casefold()
    if last.endswith("ies"):
        return (term[:-3] + "y", term[:-1])
    if last.endswith("es"):
        return (term[:-1], term[:-2])
    return (term[:-1],) if last.endswith("s") and len(last) > 2 else ()
