"""Which words a text is found by."""

from __future__ import annotations

import pytest

from datafactory.corpora.retrievers.words import Words

ENGLISH = Words("english")
PLAIN = Words(None, stopwords=False)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("json.dumps()", ["json.dumps", "json", "dump"]),
        ("OrderedDict", ["ordereddict", "order", "dict"]),
        ("__init__", ["__init__", "init"]),
        ("max_length=3", ["max_length", "max", "length", "3"]),
        ("Parsers parsed parsing.", ["parser", "pars", "pars"]),
        ("the URLs of it", ["url"]),
        ("What is C++?", ["c++", "c"]),
        ("Gödel, GODEL", ["godel", "godel"]),
        ("Straße", ["strass"]),
        ("python3.11", ["python3.11", "python3", "11"]),
        ("", []),
        ("?!... --", []),
    ],
)
def test_a_text_is_found_by_stems_and_by_identifiers_whole_and_in_parts(text: str, terms: list[str]) -> None:
    assert ENGLISH.terms(text) == terms


def test_without_a_language_words_stay_as_they_are() -> None:
    assert PLAIN.terms("The parsers of IT") == ["the", "parsers", "of", "it"]


def test_ideographs_are_found_by_pairs() -> None:
    assert PLAIN.terms("東京都 is x東京1") == ["東京", "京都", "is", "x", "東京", "1"]


def test_a_word_without_end_is_cut() -> None:
    assert PLAIN.terms("a" * 5000) == ["a" * 64]


def test_words_of_questions_are_passed_over_but_in_names_they_count() -> None:
    assert ENGLISH.terms("Which is the who.what") == ["who.what"]


def test_stopwords_of_another_language_are_its_own() -> None:
    assert Words("german").terms("Das ist die Bibliothek der Stadt") == ["bibliothek", "stadt"]
    assert Words("tamil").terms("the x") == ["the", "x"], "no list for it: nothing is passed over"
