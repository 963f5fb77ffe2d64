"""The slow look: what of an item really stands in a text, word for word, or program for program."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from filters.contamination.index import Index, nameless, runs_of
from filters.shingles import Hashes, words

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?|[-+*/%<>=!&|^~@\[\]{}:.]")
"""Of a program: names, numbers and marks, without those that wrapping it anew changes: parentheses, commas, quotes."""
_FIXED = frozenset({*keyword.kwlist, *dir(builtins)})


@dataclass(frozen=True, slots=True)
class Found:
    """What of an item stands in a text."""

    item: int
    words: int
    """How many words of it, in one piece."""
    quote: str
    """As the text has it."""
    renamed: bool = False
    """Whether it is a program with other names in it."""


def found_in(text: str, index: Index) -> list[Found]:
    """What stands in a text, the most words first; each item once."""
    import polars as pl

    said = words(pl.Series([text]), starts=True)
    assert said.starts is not None
    ends = np.append(said.starts, len(text.encode()))
    data = text.encode()
    made = list(_runs(said.values, ends, data, index))
    named = {each.item for each in made}
    made += [each for each in _programs(said, text, index) if each.item not in named]
    return sorted(made, key=lambda each: (-each.words, each.item))


def _runs(values: Array, ends: Array, data: bytes, index: Index) -> Iterator[Found]:
    runs = runs_of(values, index.length)
    for item in index.long.whose(np.unique(runs)).tolist():
        start, count = _longest(np.isin(runs, runs_of(index.hashes.of(item), index.length)))
        quote = data[ends[start] : ends[start + count + index.length - 1]].decode(errors="replace")
        if _plain(quote) in _plain(index.items[item].text):
            yield Found(item, count + index.length - 1, quote)
    for item in index.short.whose(np.unique(runs_of(values, index.least))).tolist():
        own = index.hashes.of(item)
        for start in np.flatnonzero(values[: max(0, len(values) - len(own) + 1)] == own[0]).tolist():
            if np.array_equal(values[start : start + len(own)], own):
                yield Found(item, len(own), data[ends[start] : ends[start + len(own)]].decode(errors="replace"))
                break


def _longest(hits: Array) -> tuple[int, int]:
    """Where the longest row of hits begins, and how many they are."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], hits, [False])).astype(np.int8)))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    best = int(np.argmax(lengths))
    return int(starts[best]), int(lengths[best])


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _programs(said: Hashes, text: str, index: Index) -> Iterator[Found]:
    if not len(index.code.keys):
        return
    suspects = index.code.whose(np.unique(runs_of(nameless(said).values, index.program))).tolist()
    told = [(token.group(), token.start(), token.end()) for token in _TOKEN.finditer(text)] if suspects else []
    shape = [_shape(token) for token, _, _ in told]
    for item in suspects:
        own = _TOKEN.findall(index.items[item].text)
        start = _renamed([token for token, _, _ in told], shape, own)
        if start is not None:
            quote = text[told[start][1] : told[start + len(own) - 1][2]]
            yield Found(item, sum(token[0].isalnum() or token[0] == "_" for token in own), quote, True)


def _shape(token: str) -> str:
    return token if not (token[0].isalpha() or token[0] == "_") or token in _FIXED else "_"


def _renamed(told: list[str], shape: list[str], own: list[str]) -> int | None:
    """Where a program stands whose names were changed, each to one other and no two to the same; None: nowhere."""
    wanted = [_shape(token) for token in own]
    text, pattern = "\0".join(["", *shape, ""]), "\0".join(["", *wanted, ""])
    at = text.find(pattern)
    while at >= 0:
        start = text.count("\0", 0, at)
        there: dict[str, str] = {}
        back: dict[str, str] = {}
        pairs = zip(own, told[start : start + len(own)], strict=True)
        if all(there.setdefault(a, b) == b and back.setdefault(b, a) == a for a, b in pairs if _shape(a) == "_"):
            return start
        at = text.find(pattern, at + 1)
    return None
