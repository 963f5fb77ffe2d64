"""Passages cover a page's text in order, at about the length that was asked for."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from datafactory.corpora.passages import cut
from datafactory.corpora.text import clean

WORDS = st.text(st.sampled_from("ab .!\n\n漢é"), max_size=400)


@given(WORDS, st.integers(1, 30))
def test_nothing_but_white_space_lies_between_passages(text: str, words: int) -> None:
    spans = cut(text, words)
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(20, 150))
def test_no_passage_is_much_longer_than_asked_for(sizes: list[int], words: int) -> None:
    text = "\n\n".join(" ".join(["word"] * size) + "." for size in sizes)
    lengths = [len(text[start:end].split()) for start, end in cut(text, words)]
    assert max(lengths) <= words * 1.5
    assert sum(lengths) == sum(sizes)


def test_paragraphs_stay_whole_where_they_fit_and_a_short_rest_joins_the_last() -> None:
    paragraphs = ["one " * 50, "two " * 40, "three " * 60, "end"]
    text = "\n\n".join(paragraph.strip() for paragraph in paragraphs)
    assert [text[start:end].split()[0] for start, end in cut(text, 100)] == ["one", "three"]
    assert text[slice(*cut(text, 100)[1])].endswith("three\n\nend")


def test_a_long_paragraph_is_cut_at_sentences_and_text_without_spaces_too() -> None:
    text = " ".join(f"Sentence {n} has six words." for n in range(60))
    assert all(text[start:end].startswith("Sentence") for start, end in cut(text, 50))
    chinese = "漢字を書く。" * 500
    assert 2 < len(cut(chinese, 100)) < 10
    assert len(cut("x" * 100_000, 100)) == 100


@given(st.text(max_size=80))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)
