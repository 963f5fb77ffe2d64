"""The reading of all pages that says whether a question has one answer finds what a generator may have missed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.search_scan import uniqueness
from datafactory.corpora import Corpus, stock
from datafactory.corpora.sources.jsonl import Jsonl
from datafactory.types import Question, Source, Task

PAGES = {
    "Pascal": "<language> A language designed by Niklaus Wirth in 1970.\n\nIt is based on ALGOL.",
    "Modula": "<language> A language designed by Niklaus Wirth in 1975, a successor of Pascal.",
    "Oberon": "<language> A language created in 1986.\n\nNiklaus Wirth tells of it in a book that mentions Pascals.",
    "Lilith": "<computer> A workstation.\n\nIt runs Modula.",
    "ALGOL": "<language> A language.",
    "Byte": "<publication> A magazine.",
    "bus": "<hardware> It carries many bytes, says J. K. Byte.",
}


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """Five pages without a single link: only words tie them."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    rows = [json.dumps({"url": name.lower(), "title": name, "contents": text}) for name, text in PAGES.items()]
    (tmp_path / "pages.jsonl").write_text("\n".join(rows))
    return stock(Jsonl(files=(tmp_path / "pages.jsonl",)))


def kind(of: str, value: str = "language") -> dict[str, Any]:
    return {"of": of, "relation": "kind", "value": value, "values": [value]}


def made(by: str, quote: str = "", of: str = "x0", values: tuple[str, ...] = ("1970",)) -> dict[str, Any]:
    value = {"made_by": "Niklaus Wirth", "made_in": "the 1970s"}[by]
    keys = ["niklaus wirth"] if by == "made_by" else list(values)
    return {"of": of, "relation": by, "value": value, "values": keys, "how": "designed", "quote": quote}


WIRTH = "A language designed by Niklaus Wirth in 1970."
Judge = Callable[..., dict[str, Any]]


@pytest.fixture
def judged(corpus: Corpus) -> Judge:
    """What is found out about one question, from its constraints and its witnesses."""

    def judge(
        *constraints: dict[str, Any], answers: tuple[str, ...] = ("Pascal",), relation: str = "", **witness: str
    ) -> dict[str, Any]:
        asks = {"of": "x0", "relation": relation, "how": "designed"}
        facts = {"constraints": list(constraints), "witness": witness, "asks": asks}
        question = Question(corpus=corpus.name, text="Which?", answers=answers, facts=facts)
        task = Task(id="q", digest="d", prompt="Which?", question=question, source=Source(generator="g"))
        return uniqueness([task], corpus)

    return judge


def test_one_page_that_fits_in_either_reading_is_the_answer(judged: Judge) -> None:
    found = judged(kind("x0"), made("made_by", WIRTH), made("made_in", WIRTH), x0="pascal")
    assert found["answerable"] == dict.fromkeys(("unique", "unique strictly", "confirmed", "stated"), 1.0)
    assert found["doubtful"] == []


def test_a_second_page_that_says_the_same_is_found(judged: Judge) -> None:
    found = judged(kind("x0"), made("made_by", WIRTH), x0="pascal")
    assert (found["answerable"]["unique"], found["answerable"]["unique strictly"]) == (0.0, 0.0)
    ((_, _, _, also),) = found["doubtful"]
    assert also == ["modula", "oberon"], "loosely, the name anywhere will do"


def test_a_page_without_what_is_asked_for_is_no_other_answer(judged: Judge) -> None:
    found = judged(kind("x0"), made("made_by", WIRTH), x0="pascal", relation="made_in")
    ((_, _, _, also),) = found["doubtful"]
    assert also == ["modula"], "Oberon was not designed but created"


def test_words_far_apart_fit_loosely_and_not_strictly(judged: Judge) -> None:
    decade = tuple(str(year) for year in range(1980, 1990))
    found = judged(kind("x0"), made("made_by"), made("made_in", values=decade), answers=("Oberon",), x0="oberon")
    assert found["answerable"]["unique"] == 1.0
    assert found["answerable"]["confirmed"] == 0.0, "no sentence says that he designed it"


def test_a_tie_is_read_in_its_direction_and_through_plurals(judged: Judge) -> None:
    quote = "Niklaus Wirth tells of it in a book that mentions Pascals."
    tie = {"of": "x1", "relation": "mention", "to": "x0", "quote": quote}
    alone = {"of": "x1", "relation": "initial", "value": "O", "values": ["o"], "quote": "Oberon"}
    found = judged(kind("x0"), kind("x1"), tie, alone, x0="pascal", x1="oberon")
    assert found["answerable"]["unique"] == found["answerable"]["stated"] == 1.0
    back = {**tie, "of": "x0", "to": "x1"}
    assert judged(kind("x0"), kind("x1"), back, alone, x0="pascal", x1="oberon")["answerable"]["confirmed"] == 0.0


def test_a_stated_relation_needs_its_words(judged: Judge) -> None:
    tie = {"of": "x0", "relation": "based_on", "to": "x1", "quote": "It is based on ALGOL."}
    found = judged(kind("x0"), kind("x1"), tie, x0="pascal", x1="algol")
    assert found["answerable"]["confirmed"] == found["answerable"]["stated"] == 1.0
    wrong = {**tie, "relation": "runs_on"}
    assert judged(kind("x0"), kind("x1"), wrong, x0="pascal", x1="algol")["answerable"]["confirmed"] == 0.0


@pytest.mark.parametrize("quote", ["A language designed by Niklaus Wirth in 1971.", "It is based on ALGOL."])
def test_a_sentence_that_is_not_there_or_says_something_else_states_nothing(judged: Judge, quote: str) -> None:
    found = judged(kind("x0"), made("made_by", quote), made("made_in", WIRTH), x0="pascal")
    assert (found["answerable"]["unique"], found["answerable"]["stated"]) == (1.0, 0.0)


def test_a_name_in_another_case_is_another_word(judged: Judge) -> None:
    quote = "It carries many bytes, says J. K. Byte."
    tie = {"of": "x0", "relation": "mention", "to": "x1", "quote": quote}
    bus, byte = kind("x0", "hardware"), kind("x1", "magazine")
    assert judged(bus, byte, tie, x0="bus", x1="byte")["answerable"]["stated"] == 1.0
    half = {**tie, "quote": "It carries many bytes"}
    assert judged(bus, byte, half, x0="bus", x1="byte")["answerable"]["stated"] == 0.0


def test_a_question_without_an_answer_must_fit_nothing(judged: Judge) -> None:
    never = judged(kind("x0"), made("made_in", values=("1999",)), answers=(), x0="pascal")
    assert never["unanswerable"]["unique"] == 1.0
    some = judged(kind("x0"), made("made_in", values=("1986",)), answers=(), x0="pascal")
    assert (some["unanswerable"]["unique"], some["unanswerable"]["unique strictly"]) == (0.0, 1.0)
    assert some["doubtful"][0][3] == ["oberon"]
