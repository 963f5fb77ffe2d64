"""Judging answers by their words, and by a judge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafactory.answers import exact_match, grade, judged, needs_judge, normalised, prove_question, token_f1
from datafactory.protocols import Episode
from datafactory.types import UNANSWERABLE, Hop, Message, Question, Reply

HOPS = tuple(Hop(url=url, statement="s") for url in ("a", "b", "a"))


def question(*answers: str) -> Question:
    return Question(corpus="corpus/c-0", text="Which?", answers=answers, hops=HOPS)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The  Analytical-Engine!", "analyticalengine"),
        ("A an the theatre", "theatre"),
        ("os.path.join", "ospathjoin"),
        ("", ""),
        ("the", ""),
        ("É «x»", "é «x»"),
    ],
)
def test_the_normal_form_is_squads(text: str, normal: str) -> None:
    assert normalised(text) == normal


@pytest.mark.parametrize(
    ("answer", "accepted", "exact", "f1"),
    [
        ("Ada Lovelace", ["ada lovelace."], True, 1.0),
        ("Lovelace", ["Ada Lovelace"], False, 2 / 3),
        ("Ada King Lovelace", ["Ada Lovelace"], False, 4 / 5),
        ("ada ada", ["Ada"], False, 2 / 3),
        ("Byron", ["Ada Lovelace"], False, 0.0),
        ("1815", ["1816", "the year 1815"], False, 2 / 3),
        ("no way", ["no"], False, 0.0),
        ("yes", ["no"], False, 0.0),
        ("", ["Ada"], False, 0.0),
        ("Ada", [], False, 0.0),
    ],
)
def test_words_are_weighed_as_squad_does(answer: str, accepted: list[str], exact: bool, f1: float) -> None:
    assert exact_match(answer, accepted) is exact
    assert token_f1(answer, accepted) == pytest.approx(f1)


WORDS = st.text(alphabet="ab ,.", max_size=12)


@given(WORDS, WORDS)
def test_f1_is_the_same_from_either_side_between_0_and_1_and_1_for_a_match(one: str, other: str) -> None:
    found = token_f1(one, [other])
    assert found == token_f1(other, [one])
    assert 0 <= found <= 1
    assert not exact_match(one, [other]) or found == 1


def scores(verdict: Any) -> dict[str, float]:
    return {check.name: check.score for check in verdict.checks}


def test_the_reward_is_the_f1_and_what_weighs_nothing_stands_beside_it() -> None:
    verdict = grade(question("Ada Lovelace"), "Lovelace", found=("b", "c"), visited=())
    assert verdict.reward == 0.666667
    assert not verdict.solved
    assert scores(verdict) == {
        "token_f1": pytest.approx(2 / 3),
        "exact_match": 0.0,
        "evidence_found": 0.5,
        "evidence_visited": 0.0,
    }
    assert [check.weight for check in verdict.checks] == [1.0, 0.0, 0.0, 0.0]
    assert grade(question("Ada"), "the Ada", visited=("a", "b")).solved


def test_nothing_said_in_the_form_that_was_asked_for_earns_nothing() -> None:
    for asked in (question("Ada"), question(), question("the")):
        assert grade(asked, None).reward == 0.0


def test_that_there_is_no_answer_is_right_only_where_there_is_none() -> None:
    assert grade(question(), UNANSWERABLE).solved
    assert grade(question(), "Ada").reward == 0.0
    assert grade(question("Ada"), UNANSWERABLE).reward == 0.0
    assert "exact_match" not in scores(grade(question(), "Ada"))


def test_a_judge_is_asked_where_words_do_not_settle_it_and_then_decides() -> None:
    asked = question("Ada Lovelace")
    assert [needs_judge(asked, said) for said in (None, "", "ada lovelace", UNANSWERABLE, "Lovelace")] == [
        False,
        False,
        False,
        False,
        True,
    ]
    assert not needs_judge(question(), "Ada")
    assert grade(asked, "Lovelace", judged=True).solved
    assert grade(asked, "Lovelace", judged=False).reward == 0.0
    assert grade(asked, "Ada Lovelace", judged=False).solved


class Judge:
    """Says what it was told to say, and keeps what it was asked."""

    def __init__(self, *says: str) -> None:
        self.says, self.asked = list(says), [""]

    async def reply(self, messages: Sequence[Message], *, schema: Any = None, **more: Any) -> Reply:
        assert set(schema["required"]) == {"reasoning", "correct"}
        self.asked.append(messages[0].content)
        return Reply(message=Message(role="assistant", content=self.says.pop(0)))


async def test_a_judges_word_is_read_strictly_and_asked_for_twice_at_most() -> None:
    yes, no = (json.dumps({"reasoning": "r", "correct": word}) for word in (True, False))
    for says, word in (((yes,), True), ((no,), False), (("Correct", yes), True), (("yes", '{"correct": true}'), None)):
        judge = Judge(*says)
        assert await judged(question("Ada", "Ada Lovelace"), "Lovelace", judge, Episode("q/0", 1)) is word
        assert judge.says == []
        assert "Ada | Ada Lovelace" in judge.asked[1] and "judged: Lovelace" in judge.asked[1]


def test_a_question_is_sound_if_its_own_answer_is_right_and_silence_is_not() -> None:
    assert prove_question(question("Ada")) is None
    assert prove_question(question()) is None
    for empty in ("the", "...", UNANSWERABLE):
        reject = prove_question(question(empty))
        assert reject is not None
        assert reject.reason == "noop_scores"
