"""Attempts held against each other: who plays whom, and what games make of an attempt."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.judging import Room, load_rubric
from datafactory.judging.comparing import Game, matches, preferred, read_game
from datafactory.judging.evidence import comparison
from datafactory.types import Message, Reply
from tests.judging.attempts import PROMPT, a_task, an_attempt

RUBRIC = load_rubric("better", pairs=True)


def says(verdict: object) -> Game:
    content = (
        verdict if isinstance(verdict, str) and "{" in verdict else json.dumps({"reasoning": "", "verdict": verdict})
    )
    return read_game(Reply(message=Message(role="assistant", content=content)))


def test_a_clear_word_counts_three_times():
    assert [says(word) for word in ("A>>B", "A>B", "A=B", "B>A", "B>>A")] == [
        Game(3, 3.0),
        Game(1, 1.0),
        Game(1, 0.5),
        Game(1, 0.0),
        Game(3, 0.0),
    ]
    assert [says(word).weight for word in ("A", "A>>>B", 1, None, '{"verdict": "A>B"}', '{"verdict')] == [0] * 6


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=12).map(sorted), st.integers(1, 12))
def test_everybody_plays_equally_often_and_nobody_itself(attempts, most):
    met = matches(attempts, most)
    counts = {sum(one in pair for pair in met) for one in attempts}
    assert len(counts) == 1
    assert len(set(met)) == len(met)
    assert all(one < other for one, other in met)
    assert counts.pop() <= max(most, 2)
    assert len(met) > 0 or len(attempts) == 1


def test_a_judge_that_only_likes_what_stands_first_gives_a_draw():
    first = says("A>>B")
    for is_first in (True, False):
        score = preferred([((first, first), is_first)], RUBRIC, "j")
        assert score.value == 0.0
        assert "kept its word in 0 of 1 pairs" in score.note


def test_an_attempts_score_is_its_share_of_the_weight():
    won, tied = (says("A>>B"), says("B>A")), (says("A=B"), says("A=B"))
    score = preferred([(won, True), (tied, False)], RUBRIC, "j")
    assert score.value == pytest.approx(2 * (3 + 1 + 0.5 + 0.5) / 6 - 1, abs=1e-6)
    assert score.note == (
        "5 of 6 points; 4 of 4 games against 2 attempts can be read; swapped, the judge kept its word in 2 of 2 pairs"
    )
    assert preferred([(won, False)], RUBRIC, "j").value == -1


def test_games_that_cannot_be_read_do_not_count_and_none_gives_no_number():
    unread = says("?")
    assert preferred([((says("A>B"), unread), True)], RUBRIC, "j").value == 1.0
    nothing = preferred([((unread, unread), True)], RUBRIC, "j")
    assert (nothing.value, nothing.note[:9]) == (None, "no number")
    assert preferred([], RUBRIC, "j").value is None


def test_both_attempts_stand_behind_one_fence_and_the_task_stands_once():
    pair = an_attempt(("assistant", "the first")), an_attempt(("assistant", "the second"), attempt=1)
    text = comparison(RUBRIC, a_task(), pair, Room(), seed=7)
    found = re.findall(r"^===== ([0-9a-f]{24}) ([\w ]+) begins =====$", text, re.MULTILINE)
    assert [title for _, title in found] == ["prompt", "A transcript", "A answer", "B transcript", "B answer"]
    assert len({code for code, _ in found}) == 1
    assert text.count(PROMPT) == 1
    assert text.index("the first") < text.index("the second")
    for secret in ("hidden_check", "0.25", "the true way"):
        assert secret not in text
