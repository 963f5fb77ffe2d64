"""Words and runs of words as hashes, held against a plain reading of the same texts."""

from __future__ import annotations

import json
import re
import unicodedata

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.shingles import Hashes, said, shingles, words

PIECES = [
    "Hello",
    "wörld",
    "ÄÖ",
    "ﬁne",
    "x_y",
    "don't",
    "中文",
    "かな",
    "42",
    "\\n",
    "\n",
    "\\",
    '"',
    "é",
    "🙂",
    " ",
    "-",
    "Ⅷ",
    "n",
    "𐐀",
]


def plain_words(text: str) -> list[str]:
    """The words of a text, read letter by letter as the documentation says it."""
    found, word, before = [], "", ""
    for letter in text:
        rare = 0x20000 <= ord(letter) < 0x40000  # planes of ideographs, not all of which have a name yet
        kind, folded = (
            "L" if rare else unicodedata.category(letter)[0],
            unicodedata.normalize("NFKC", letter).casefold(),
        )
        folded = folded if len(folded) == 1 else letter
        escape = before == "\\" and letter in "ntr"
        alone = rare or unicodedata.name(letter, "").startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI"))
        before = letter
        kind = "S" if 0xFE00 <= ord(letter) < 0xFE10 or ord(letter) >= 0x40000 else kind
        if kind in "LMN" and not escape and not alone:
            word += folded
            continue
        found += [word] * bool(word) + [folded] * (alone and kind in "LMN")
        word = ""
    return found + [word] * bool(word)


def classes(of: Hashes) -> list[list[int]]:
    """The hashes of each text, as the numbers of their first appearance."""
    numbers: dict[int, int] = {}
    return [
        [numbers.setdefault(int(value), len(numbers)) for value in of.of(text)] for text in range(len(of.bounds) - 1)
    ]


def plain_classes(texts: list[list]) -> list[list[int]]:
    """The same of things that need no hashing."""
    numbers: dict = {}
    return [[numbers.setdefault(item, len(numbers)) for item in text] for text in texts]


def message(role: str, content: str, **more) -> str:
    return json.dumps({"role": role, "content": content, **more}, ensure_ascii=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=12), max_size=5))
def test_words_are_what_a_plain_reading_finds(texts):
    assert classes(words(pl.Series(texts, dtype=pl.String))) == plain_classes([plain_words(text) for text in texts])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=20).map("".join),
    st.booleans(),
    st.sampled_from(["system", "user", "assistant", "tool"]),
)
def test_what_is_said_in_json_has_the_words_of_the_plain_text(text, ascii_only, role):
    in_json = json.dumps({"role": role, "content": text}, ensure_ascii=ascii_only)
    if ascii_only and re.search(r"\\ud[89a-f]", in_json):
        return  # halves of a pair part words, which is told
    heard = said(pl.Series([[in_json]]))
    assert heard.values.tolist() == words(pl.Series([text])).values.tolist()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=9), max_size=4), st.integers(1, 5))
def test_equal_runs_have_equal_hashes_and_no_others(texts, length):
    runs = [
        [tuple(text[i : i + length]) for i in range(max(len(text) - length + 1, min(len(text), 1)))] for text in texts
    ]
    made = shingles(words(pl.Series([" ".join(text) for text in texts], dtype=pl.String)), length)
    assert classes(made) == plain_classes(runs)


def test_keys_roles_and_ids_are_not_said_but_arguments_are():
    call = {"id": "call_9", "type": "function", "function": {"name": "run", "arguments": {"type": "ls -la", "n": 15}}}
    talk = [
        message("user", "Go on"),
        message("assistant", "", reasoning_content="hm", tool_calls=[call]),
        message("tool", "total 3", tool_call_id="call_9"),
    ]
    everybody = words(pl.Series(["go on hm run ls la 15 total 3"]))
    assert said(pl.Series([talk])).values.tolist() == everybody.values.tolist()
    teacher = words(pl.Series(["hm run ls la 15"]))
    assert said(pl.Series([talk]), {"assistant"}).values.tolist() == teacher.values.tolist()


def test_a_role_counts_wherever_it_stands_in_the_message():
    talk = ['{"content": "secret", "role": "system"}', '{"content": "open", "role": "user"}']
    assert said(pl.Series([talk]), {"user"}).values.tolist() == words(pl.Series(["open"])).values.tolist()


def test_empty_and_missing_texts_have_no_words():
    found = words(pl.Series([None, "", " ... ", "one"]))
    assert found.bounds.tolist() == [0, 0, 0, 0, 1]
    talks = pl.Series([[], None, [message("user", "one")]], dtype=pl.List(pl.String))
    heard = said(talks)
    assert heard.bounds.tolist() == [0, 0, 0, 1] and heard.values.tolist() == found.values.tolist()
    assert shingles(found, 3).bounds.tolist() == [0, 0, 0, 0, 1]
    assert said(pl.Series([], dtype=pl.List(pl.String))).bounds.tolist() == [0]


@pytest.mark.parametrize(
    "torn", ['{"role": "user", "content": "half', '"', "\\", '{"a": "\\', '{"a": "\\uZZ', "[[[", "}}}"]
)
def test_what_is_no_json_breaks_nothing(torn):
    assert len(said(pl.Series([[torn], [message("user", "one")]])).of(1)) == 1


def test_a_slice_of_a_series_is_read_from_its_own_beginning():
    texts = pl.Series(["left out", "one two", "three"])[1:]
    assert classes(words(texts)) == [[0, 1], [2]]
    talks = pl.Series([[message("user", "left out")], [message("user", "one two")]])[1:]
    assert said(talks).values.tolist() == words(texts[:1]).values.tolist()


def test_starts_say_where_words_begin_in_bytes():
    texts = ["  héllo, wörld 中文", "x"]
    found = words(pl.Series(texts), starts=True)
    at = [texts[0].encode().index(word.encode()) for word in ("héllo", "wörld", "中", "文")]
    assert found.starts is not None and found.starts.tolist() == [*at, 0]
    assert np.array_equal(found.values, words(pl.Series(texts)).values)


def test_a_hash_is_fnv_1a_of_the_folded_letters_mixed_by_murmur():
    whole = 2**64 - 1
    h = 0xCBF29CE484222325
    for letter in "hello":
        h = (h ^ ord(letter)) * 0x100000001B3 & whole
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        h = (h ^ h >> 33) * factor & whole
    assert int(words(pl.Series(["Hello"])).values[0]) == h ^ h >> 33
