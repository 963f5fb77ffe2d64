"""Terminus 2 answers: read, complained of, put right."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafactory.agent.keys import Keys
from datafactory.agent.terminus_parse import Answer, parse

GOOD: dict[str, Any] = {
    "analysis": "seen",
    "plan": "do",
    "commands": [{"keystrokes": "ls -la\n", "duration": 0.1}],
    "task_complete": False,
}


def text(**changes: Any) -> str:
    return json.dumps(GOOD | changes)


def without(name: str) -> str:
    return json.dumps({key: value for key, value in GOOD.items() if key != name})


def test_a_well_formed_answer_has_no_feedback():
    assert parse(text()) == Answer((Keys("ls -la\n", 0.1),), analysis="seen", plan="do")
    assert parse(text()).feedback == ""


def test_no_commands_are_fine():
    assert parse(text(commands=[])).error == ""


def test_task_complete_may_be_left_out():
    assert not parse(without("task_complete")).complete
    assert parse(without("task_complete")).feedback == ""


@pytest.mark.parametrize("name", ["analysis", "plan", "commands"])
def test_a_missing_field_is_an_error_that_names_it(name: str):
    answer = parse(without(name))
    assert answer.error == f"Missing required fields: {name}"
    assert answer.commands == ()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("", "No valid JSON found in response"),
        ("I will list the files.", "No valid JSON found in response"),
        ("[1, 2]", "The JSON must be an object"),
        ('{"analysis": }', "Invalid JSON"),
        (text(commands="ls"), "Field 'commands' must be an array"),
        (text(commands=["ls"]), "Command 1 must be an object"),
        (text(commands=[{"duration": 1}]), "Command 1 missing required 'keystrokes' field"),
        (text(commands=[{"keystrokes": 7, "duration": 1}]), "Command 1 'keystrokes' must be a string"),
    ],
)
def test_what_cannot_be_carried_out_is_an_error(said: str, error: str):
    answer = parse(said)
    assert answer.error.startswith(error)
    assert answer.feedback.startswith(f"ERROR: {error}")
    assert answer.commands == ()
    assert not answer.complete


def test_a_missing_duration_is_one_second_and_a_warning():
    answer = parse(text(commands=[{"keystrokes": "ls\n"}]))
    assert answer.commands == (Keys("ls\n", 1.0),)
    assert answer.feedback == "WARNINGS: - Command 1: Missing duration field, using default 1.0"


@pytest.mark.parametrize("duration", ["soon", None, True, float("nan"), float("inf"), 10**400])
def test_a_duration_that_is_no_number_is_one_second_and_a_warning(duration: Any):
    answer = parse(text(commands=[{"keystrokes": "ls\n", "duration": duration}]))
    assert answer.commands == (Keys("ls\n", 1.0),)
    assert "Invalid duration" in answer.feedback


def test_another_order_of_fields_is_a_warning():
    answer = parse(json.dumps(dict(reversed(GOOD.items()))))
    assert answer.commands
    assert "wrong order" in answer.feedback


def test_unknown_keys_of_a_command_are_a_warning():
    answer = parse(text(commands=[{"keystrokes": "ls\n", "duration": 1, "timeout": 3}]))
    assert answer.feedback == "WARNINGS: - Command 1: Unknown fields: timeout"


def test_a_missing_newline_before_another_command_is_a_warning():
    answer = parse(text(commands=[{"keystrokes": "cd a", "duration": 1}, {"keystrokes": "ls", "duration": 1}]))
    assert answer.feedback.count("should end with newline") == 1
    assert "Command 1" in answer.feedback


def test_a_key_before_another_command_needs_no_newline():
    answer = parse(text(commands=[{"keystrokes": "C-c", "duration": 1}, {"keystrokes": "ls\n", "duration": 1}]))
    assert answer.feedback == ""


def test_text_around_the_object_is_a_warning():
    answer = parse(f"Sure! {{here}} it is:\n```json\n{text()}\n```\n")
    assert answer.commands
    assert "before JSON object" in answer.feedback
    assert "after JSON object" in answer.feedback
    assert "AUTO-CORRECTED: Extracted JSON from mixed content - please fix this in future responses" in answer.feedback


def test_an_object_in_text_that_lacks_commands_is_told_so():
    assert parse(f"Sure: {without('commands')}").error == "Missing required fields: commands"


def test_a_leading_thought_is_no_part_of_the_answer():
    assert parse(f"<think>{{ hm }}</think>\n{text()}").feedback == ""


def test_missing_braces_at_the_end_are_put_back():
    answer = parse(text().removesuffix("}"))
    assert answer.commands == (Keys("ls -la\n", 0.1),)
    assert "AUTO-CORRECTED: Completed truncated JSON" in answer.feedback


def test_a_command_cut_in_its_keystrokes_is_dropped_and_not_typed_half():
    said = (
        '{"analysis": "", "plan": "", "commands": [{"keystrokes": "ls\\n", "duration": 0.1}, {"keystrokes": "rm -rf /tm'
    )
    answer = parse(said)
    assert answer.commands == (Keys("ls\n", 0.1),)
    assert "Completed truncated JSON" in answer.feedback


def test_an_answer_cut_in_its_plan_is_an_error():
    assert parse('{"analysis": "a", "plan": "first I wi').error.startswith("Invalid JSON")


def test_raw_newlines_in_strings_are_put_right_with_a_warning():
    answer = parse(text().replace("\\n", "\n"))
    assert answer.commands == (Keys("ls -la\n", 0.1),)
    assert "AUTO-CORRECTED: Escaped raw control characters" in answer.feedback


def test_command_errors_are_warnings_once_the_task_is_complete():
    answer = parse(text(commands=[{"duration": 1}], task_complete=True))
    assert answer.complete
    assert answer.error == ""
    assert answer.commands == ()
    assert "missing required 'keystrokes'" in answer.feedback


def test_task_complete_as_a_word_counts_with_a_warning():
    answer = parse(text(task_complete="true"))
    assert answer.complete
    assert "task_complete" in answer.feedback


def test_a_model_that_loops_on_braces_is_refused_at_once():
    assert parse("{" * 200_000).error


def test_a_model_that_loops_within_an_answer_costs_neither_time_nor_memory():
    tracemalloc.start()
    answer = parse('{"analysis": "a", "plan": "b", "commands": ' + "[" * 3_000 + "," * 3_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.error
    assert most < 4 << 20


@given(st.text(alphabet='{}[]":,\\ \nabcommands', max_size=200))
def test_no_text_makes_the_parser_fail(said: str):
    answer = parse(said)
    assert answer.error or answer.analysis is not None


@given(st.integers(min_value=0, max_value=200))
def test_an_answer_cut_anywhere_never_types_half_a_command(end: int):
    commands = [{"keystrokes": "rm -rf build\n", "duration": 0.1}, {"keystrokes": "make all\n", "duration": 9.0}]
    whole = text(commands=commands)
    typed = [keys.text for keys in parse(whole[:end]).commands]
    assert typed == ["rm -rf build\n", "make all\n"][: len(typed)]
