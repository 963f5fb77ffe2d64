"""The proof finds all that could fit, more rather than less."""

from __future__ import annotations

import pytest

from datafactory.corpora import Corpus
from generators.search.descriptions import Condition, Thing
from generators.search.facts import FactsIndex, either, phrase
from generators.search.uniqueness import Prover


@pytest.fixture
def prover(index: FactsIndex) -> Prover:
    return Prover(index)


def thing(corpus: Corpus, url: str, *conditions: Condition, kind: str = "language") -> Thing:
    number = corpus.number(url)
    assert number is not None
    return Thing(number, url, url, kind, kind, conditions)


def found(corpus: Corpus, prover: Prover, described: Thing) -> set[str]:
    return {corpus.url(number) for number in prover.fitting(described)}


def test_a_value_is_found_wherever_it_stands(corpus: Corpus, prover: Prover) -> None:
    by = Condition("made_by", "Ada Quill", ("ada quill",), how="designed")
    assert found(corpus, prover, thing(corpus, "Abrin", by)) == {"Abrin", "Brotel", "Cadmor"}
    decade = Condition("made_in", "1961", tuple(str(year) for year in range(1960, 1970)))
    assert found(corpus, prover, thing(corpus, "Abrin", by, decade)) == {"Abrin", "Brotel", "Cadmor"}


def test_a_tie_is_followed_in_both_directions(corpus: Corpus, prover: Prover) -> None:
    purpose = Condition("for", "describing chemical plants", ("describing chemical plants",))
    year = Condition("made_in", "1961", ("1961",))
    first = thing(corpus, "Abrin", purpose, year)
    assert found(corpus, prover, thing(corpus, "Cadmor", Condition("based_on", other=first))) == {"Cadmor"}
    third = thing(corpus, "Cadmor", Condition("made_in", "1967", ("1967",)))
    back = found(corpus, prover, thing(corpus, "Abrin", Condition("based_on", other=third, inverse=True)))
    assert back == {"Abrin", "language"}, "whatever its page names could be meant: it is a programming language"


def test_nothing_fits_what_is_false(corpus: Corpus, prover: Prover) -> None:
    by = Condition("made_by", "Ada Quill", ("ada quill",))
    year = Condition("made_in", "1999", ("1999",))
    assert found(corpus, prover, thing(corpus, "Abrin", by, year)) == set()


def test_what_has_no_words_is_read_nowhere(index: FactsIndex) -> None:
    assert either(phrase(name) for name in ("?!", "")) == ""
    assert index.reading("", None, 10) == set()


def test_the_loose_reading_holds_every_true_fact(corpus: Corpus, index: FactsIndex, prover: Prover) -> None:
    checked = 0
    for number in range(len(corpus)):
        for fact in index.facts(number):
            if fact.target is None and (kinds := index.kinds(number)):
                condition = Condition(fact.relation, fact.value, (fact.key,), how=fact.how)
                described = Thing(number, corpus.url(number), "", kinds[-1], kinds[0], (condition,))
                assert number in prover.fitting(described), fact
                checked += 1
    assert checked > 40
