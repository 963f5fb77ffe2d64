"""What is cut from pages: true, stated by a sentence of the page, and nothing about something else."""

from __future__ import annotations

import pytest

from datafactory.corpora import Corpus
from datafactory.types import Page
from generators.search.facts import Fact, FactsIndex, cut, mention, open_facts
from generators.search.facts.prose import kind_of
from generators.search.facts.sentences import sentences


def told(text: str, title: str = "Zed", **targets: int) -> dict[str, Fact]:
    return {fact.relation: fact for fact in cut(Page(title, title, text), targets).facts}


def test_who_made_it_where_and_when() -> None:
    facts = told("Zed is a programming language designed by Niklaus Wirth at ETH Zurich in 1970 for teaching.")
    assert {name: facts[name].value for name in ("made_by", "made_at", "made_in")} == {
        "made_by": "Niklaus Wirth",
        "made_at": "ETH Zurich",
        "made_in": "1970",
    }
    assert facts["made_by"].how == "designed"


@pytest.mark.parametrize(
    "text",
    [
        "Zed is a debugger for programs written by students in 1990.",
        "A tool. Its rival was developed by Acme Corp in 1984.",
        "Zed is a system developed by Swedish company Upright in 1998.",
        "Zed is a shell written by Alice Able and Bob Baker.",
        "Zed is a list of ideas designed by committees in the 1970s.",
    ],
)
def test_what_is_said_of_others_or_of_several_is_no_fact(text: str) -> None:
    assert not {"made_by", "made_at"} & set(told(text))


def test_a_tie_needs_a_page_that_is_linked_to_and_its_whole_name() -> None:
    assert told("A dialect of Lisp.", lisp=7)["dialect_of"].target == 7
    assert not told("A dialect of Lisp.")
    assert not told("It is based on Horn clause logic.", horn=3)


def test_the_marks_of_a_dictionary_are_read() -> None:
    text = "<networking, protocol> (TCP) A protocol for moving bytes in order."
    facts = cut(Page("x", "Transmission Control Protocol", text), {}).facts
    assert [f.value for f in facts if f.relation == "field"] == ["networking", "protocol"]
    assert [f.value for f in facts if f.relation == "abbreviation"] == ["TCP"]
    assert [f.value for f in facts if f.relation == "for"] == ["moving bytes in order"]


def test_an_entry_of_several_senses_tells_nothing_of_one_thing() -> None:
    made = cut(Page("x", "SAP", "1. <company> A company founded in 1972.\n\n2. <protocol> A protocol."), {})
    assert not made.single and not made.facts
    assert set(made.tags) == {"company", "protocol"}


def test_a_manual_entry_is_read_by_its_signature() -> None:
    text = (
        "json.dump(obj, fp, *, indent=None, cls='x')\nSerialize an object as a stream.\n\nRaises TypeError for "
        "others.\n\nChanged in version 3.6: All keyword-only.\n\nNew in version 3.1."
    )
    made = cut(Page("u", "json.dump", text), {"typeerror": 4})
    facts = {fact.relation: fact for fact in made.facts}
    assert made.kind == "function"
    assert facts["does"].value == "serializes an object as a stream"
    assert facts["arity"].value == "four parameters"
    assert (facts["default"].how, facts["default"].value) == ("cls", "'x'")
    assert facts["raises"].target == 4
    assert (facts["changed_in"].value, facts["added_in"].value) == ("3.6", "3.1")


@pytest.mark.parametrize(
    "first",
    ["class m.f(collections.Counter, Dict[T, int])", "m.f(*names or profile, stream=None)", "m.f(Sequence[int])"],
)
def test_what_is_no_list_of_parameters_is_not_counted(first: str) -> None:
    facts = cut(Page("u", "m.f", f"{first}\nReturn the answer."), {}).facts
    assert not [fact for fact in facts if fact.relation in ("parameter", "arity", "default")]


def test_two_changes_can_be_told_but_not_asked_for() -> None:
    text = "f(x)\nReturn the answer.\n\nChanged in version 3.6: a.\n\nChanged in version 3.8: b."
    changed = [fact for fact in cut(Page("u", "m.f", text), {}).facts if fact.relation == "changed_in"]
    assert [fact.asked for fact in changed] == [False, False]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("A functional programming language designed in 1987.", "functional programming language"),
        ("A bug tracking system used by Mozilla.", "bug tracking system"),
        ("A kind of data structure where order counts.", "data structure"),
        ("A small, portable compiler.", "small portable compiler"),
        ("A popular, extensible.", ""),
        ("The built-in.", ""),
        ("Programs that run.", ""),
    ],
)
def test_the_kind_is_the_noun_phrase_of_the_definition(said: str, kind: str) -> None:
    assert kind_of(said) == kind


def test_abbreviations_do_not_end_a_sentence() -> None:
    text = "It was made by J. Smith, e.g. Mr. Smith. Then it stopped."
    assert sentences(text) == ["It was made by J. Smith, e.g. Mr. Smith.", "Then it stopped."]


def test_a_mention_has_the_case_of_the_name() -> None:
    page = Page("u", "Bus", "It moves bytes per second.")
    assert mention(page, "Byte") == ""
    assert mention(page, "byte") == "It moves bytes per second."


def test_every_quote_stands_on_its_page(corpus: Corpus, index: FactsIndex) -> None:
    seen = 0
    for number in range(len(corpus)):
        text = " ".join(corpus.page(number).text.split())
        for fact in index.facts(number):
            assert fact.quote in text
            seen += 1
    assert seen > 60


def test_facts_are_cut_once(corpus: Corpus, index: FactsIndex) -> None:
    (file,) = (corpus.folder / "facts").iterdir()
    before = file.stat().st_mtime_ns
    assert open_facts(corpus).roots() == index.roots()
    assert file.stat().st_mtime_ns == before
