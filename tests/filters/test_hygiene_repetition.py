"""Which attempts `repetition` drops, and which only look like going round in circles."""

import random
import string

import pytest

from filters.repetition import Repetition
from tests.filters.hygiene_rows import reasons, said, shown, typed, why


def words(count: int, seed: int = 1) -> list[str]:
    """Words drawn at random."""
    rng = random.Random(seed)
    return ["".join(rng.choices(string.ascii_lowercase, k=6)) for _ in range(count)]


def dialogue(*turns: dict) -> list[dict]:
    """Turns, each followed by what it printed."""
    return [message for number, turn in enumerate(turns) for message in (turn, shown(f"output {number}"))]


def test_the_same_turn_in_a_row_is_a_loop_whatever_is_thought():
    again = [typed("pytest\n", analysis=thought) for thought in words(4)]
    rows = [{"messages": dialogue(*again)}, {"messages": dialogue(*again[:3])}]
    assert reasons(Repetition(), *rows) == ["repetition: the same turn 4 times in a row > 3", None]


def test_tool_calls_are_compared_without_their_ids_and_thoughts():
    calls = [said(f"try {n}", thought=f"hm {n}", calls=[{"command": "pytest", "id": "7"}]) for n in range(4)]
    for number, call in enumerate(calls):
        call["tool_calls"][0]["id"] = f"call-{number}"
    assert why(Repetition(), *dialogue(*calls)) == "repetition: the same turn 4 times in a row > 3"
    others = [said("get", calls=[{"id": str(number)}]) for number in range(8)]
    assert why(Repetition(), *dialogue(*others)) is None


def test_answers_without_commands_are_compared_by_what_they_say():
    assert why(Repetition(), *dialogue(*[said("Done.")] * 5)) == "repetition: the same turn 5 times in a row > 3"


@pytest.mark.parametrize(("period", "cycles"), [(2, 3), (3, 3), (2, 5)])
def test_a_pattern_of_turns_is_a_loop(period: int, cycles: int):
    pattern = [typed(f"{word}\n") for word in words(period)]
    row = dialogue(typed("ls\n"), *pattern * cycles, typed("exit\n"))
    assert why(Repetition(), *row) == f"repetition: the same two or three turns {cycles} times > 2"
    assert why(Repetition(), *dialogue(*pattern * 2)) is None


def test_an_edit_and_test_loop_with_new_edits_is_none():
    turns = [turn for word in words(6) for turn in (typed(f"sed -i s/a/{word}/ f\n"), typed("pytest\n"))]
    assert why(Repetition(), *dialogue(*turns)) is None


def test_a_share_of_turns_that_were_seen_before():
    pool = [typed(f"{word}\n") for word in words(4)]
    order = [0, 1, 2, 3, 0, 2, 1, 3, 2, 0, 3, 1]
    row = dialogue(*(pool[number] for number in order))
    assert why(Repetition(), *row) == "repetition: 8 of 12 turns repeat an earlier one > 0.5"
    assert why(Repetition(max_turn_share=None), *row) is None
    assert why(Repetition(), *dialogue(*(pool[number] for number in order[:7]))) is None


def test_waiting_is_no_turn():
    assert why(Repetition(), *dialogue(typed("make\n"), *[typed("")] * 6, typed("ls\n"))) is None


def test_an_answer_that_repeats_itself_is_counted_in_words():
    part = " ".join(words(100))
    reason = why(Repetition(), shown("go"), said(f"{part}\n" * 3))
    assert reason == "repetition: 200 of 300 words stand in repeated 10-grams > 0.5 (message 2)"
    thought = why(Repetition(), said("ok", thought=f"{part}\n" * 3))
    assert thought == "repetition: 200 of 301 words stand in repeated 10-grams > 0.5 (message 1)"
    assert why(Repetition(max_ngram_share=0.7), said(f"{part}\n" * 3)) is None


def test_a_pattern_that_goes_on_is_found_anywhere_in_an_answer():
    prose = words(400)
    stuck = " ".join([*prose[:200], *["wait", "no", "but"] * 70, *prose[200:]])
    assert why(Repetition(), said(stuck)) == "repetition: a pattern goes on for 210 words > 200 (message 1)"
    assert why(Repetition(max_stretch=210), said(stuck)) is None


def test_what_others_say_may_repeat():
    assert why(Repetition(), shown("ok ok " * 500, "tool"), shown("y\n" * 900), said("done")) is None


def test_prose_programs_and_short_answers_stay():
    code = "\n".join(f"def test_{word}():\n    assert run('{word}') == expected('{word}')\n" for word in words(60))
    table = "\n".join(" ".join(["0"] * 12) for _ in range(12))
    rows = [{"messages": [said(text)]} for text in (" ".join(words(2000)), code, table, "no " * 40, "")]
    assert reasons(Repetition(), *rows) == [None] * len(rows)


def test_limits_that_are_none_bind_nothing():
    loose = Repetition(max_run=None, max_cycles=None, max_turn_share=None, max_ngram_share=None, max_stretch=None)
    assert why(loose, *[said("no " * 900)] * 9) is None


def test_rows_are_told_apart_in_a_batch_with_empty_ones():
    loop, plain = dialogue(*[typed("ls\n")] * 4), [said("done")]
    found = reasons(Repetition(), *({"messages": messages} for messages in ([], loop, plain, [], [shown("x")], loop)))
    assert [reason is not None for reason in found] == [False, True, False, False, False, True]
