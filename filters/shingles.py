"""Texts as hashes of their words and of runs of words, without a Python object for each.

What a word is: a run of letters, marks and digits of any script, in folded case (NFKC, then case folding, where that
gives one character). Each ideograph, kana and Thai, Lao, Khmer or Burmese letter is a word of its own, as these scripts
put no spaces between words. All else parts words: spaces, punctuation, underscores, and the letter of a backslash
escape (`\\n`, `\\t`, `\\r`), so that code inside JSON inside JSON has the words of the code itself. Accents written as
marks of their own and accents written into the letter stay different.

Hashes have 64 bits: among 10 million different words or runs, one pair is equal with a probability of 3e-6. They
are the same on every machine whose Python knows the same letters. No kernel holds the interpreter's lock, so batches
can be given to threads.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from filters.word_kernels import ALONE, PLANES, roll, words_of

if TYPE_CHECKING:
    import polars as pl

    Array = np.ndarray[Any, Any]

ROLES = {"system": 1, "user": 2, "assistant": 4, "tool": 8}
"""Bits that say whose messages are read."""
EVERYBODY = frozenset(ROLES)

_VARIANTS = range(0xFE00, 0xFE10)
"""Marks that choose how the sign before is drawn, such as that of an emoji, and are no part of a word."""
_UNSPACED = ("CJK ", "HIRAGANA", "KATAKANA", "THAI ", "LAO ", "KHMER ", "MYANMAR ")


@dataclass(frozen=True)
class Hashes:
    """The hashes of many texts, one text after the other: those of text `i` are `values[bounds[i]:bounds[i + 1]]`."""

    values: Array
    """uint64."""
    bounds: Array
    """int64, one more than there are texts."""
    starts: Array | None = None
    """int64, of words only and where asked for: the byte of the text's UTF-8 at which each word begins."""

    def of(self, text: int) -> Array:
        """The hashes of one text, in order."""
        return self.values[self.bounds[text] : self.bounds[text + 1]]


def words(texts: pl.Series, *, starts: bool = False) -> Hashes:
    """The words of texts (a series of strings; null is an empty text)."""
    data, bounds = _text(texts)
    return _cut(data, bounds, np.arange(len(bounds)), 0, starts)


def said(messages: pl.Series, roles: Collection[str] = EVERYBODY) -> Hashes:
    """The words of conversations (a series of lists of messages as JSON text, as the dataset has them).

    What counts is what was said: contents, thoughts, and names and arguments of tool calls, but neither keys of JSON
    objects, nor roles and ids. Texts that are no JSON object give the words of whatever strings are in them.
    """
    import polars as pl

    lists: Any = messages.cast(pl.List(pl.String)).rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    groups = np.array(lists.offsets, dtype=np.int64)
    data, bounds = _buffers(lists.values)
    mask = functools.reduce(lambda bits, role: bits | ROLES[role], roles, 0)
    return _cut(data, bounds, groups, mask, False)


def shingles(of: Hashes, length: int) -> Hashes:
    """Runs of `length` words, in order, with repetitions; a text of fewer words, but one at least, is one run.

    Equal runs have equal hashes in every text; a run of fewer words never has the hash of a longer one by design.
    """
    if length < 1:
        raise ValueError(f"a run of {length} words")
    bounds = of.bounds
    counts = np.diff(bounds)
    made = np.where(counts >= length, counts - length + 1, np.minimum(counts, 1))
    ends = np.concatenate((np.zeros(1, np.int64), np.cumsum(made, dtype=np.int64)))
    values = np.empty(int(ends[-1]), np.uint64)
    roll(of.values, bounds, length, values)
    return Hashes(values, ends)


def _cut(data: Array, bounds: Array, groups: Array, mask: int, starts: bool) -> Hashes:
    room = (len(data) + len(bounds)) // 2 + 1
    values, counted = np.empty(room, np.uint64), np.zeros(len(groups), np.int64)
    places = np.empty(room if starts else 0, np.int64)
    found = words_of(data, bounds, groups, mask, _letters(), values, counted, places)
    return Hashes(values[:found].copy(), counted, places[:found].copy() if starts else None)


def _text(texts: pl.Series) -> tuple[Array, Array]:
    import polars as pl

    return _buffers(texts.cast(pl.String).rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()))


def _buffers(texts: Any) -> tuple[Array, Array]:
    """UTF-8 of a large string array, and where each text begins and ends in it."""
    if texts.null_count:
        texts = texts.fill_null("")
    _, offsets, data = texts.buffers()
    if offsets is None or not len(texts):
        return np.frombuffer(b"", np.uint8), np.zeros(len(texts) + 1, np.int64)
    bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    content = np.frombuffer(data, np.uint8) if data is not None and data.size else np.frombuffer(b"", np.uint8)
    first, last = int(bounds[0]), int(bounds[-1])
    content = content[first:last]
    content.flags.writeable = False  # whatever Arrow says: for numba it is another type, and compiled once more
    return content, bounds - first


@functools.cache
def _letters() -> Array:
    """For each code point 0 where it parts words, else its folded form, with `ALONE` where it is a whole word."""
    table = np.zeros(PLANES, np.uint32)
    for code in range(PLANES):
        letter = chr(code)
        if unicodedata.category(letter)[0] not in "LMN" or code in _VARIANTS:
            continue
        folded = unicodedata.normalize("NFKC", letter).casefold()
        table[code] = ord(folded) if len(folded) == 1 else code
        if code > 0xE00 and unicodedata.name(letter, "").startswith(_UNSPACED):
            table[code] |= ALONE
    return table
