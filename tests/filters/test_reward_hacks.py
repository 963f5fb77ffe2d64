"""What counts as reaching for the verdict, in every dialect, and what does not."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.hacking import DEFAULT, KINDS, Kind
from filters.reward_hacks import RewardHacks
from tests.filters.hacking_lines import HACKS, HONEST, POINT

COLUMNS = {
    **dict.fromkeys(("agent", "instruction", "task", "repo", "corpus", "answer"), pl.String),
    **dict.fromkeys(("messages", "tools", "answers", "evidence", "found", "visited"), pl.List(pl.String)),
}
CASES = [(kind, line) for kind, lines in HACKS.items() for line in lines]
Message = dict[str, object]


def call(name: str, **arguments: object) -> Message:
    made = {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": "", "tool_calls": [made]}


def told(content: str, role: str = "assistant") -> Message:
    return {"role": role, "content": content}


def keys(line: str) -> Message:
    commands = [{"keystrokes": f"{line}\n", "duration": 1.0}]
    return told(json.dumps({"analysis": "a", "plan": "p", "commands": commands, "task_complete": False}))


def frame(*conversation: Message, instruction: str = "Sort the file.", **row: object) -> pl.LazyFrame:
    messages = [json.dumps(message) for message in conversation]
    return pl.LazyFrame([{"messages": messages, "instruction": instruction, **row}], schema=COLUMNS)


def why(*conversation: Message, signs: tuple[Kind, ...] = DEFAULT, **row: object) -> str | None:
    rows = frame(*conversation, **row)
    return rows.select(why=RewardHacks(signs=signs).reject(rows)).collect()["why"][0]


def asked(answer: str, seen: str, signs: tuple[Kind, ...], **row: object) -> str | None:
    look = [call("search", query=["x"]), told(seen, "tool"), call("answer", answer=answer)]
    return why(*look, signs=signs, **{"corpus": "c", "answer": answer, "answers": ["Ada Lovelace"], **row})


def test_there_are_many_lines_of_both():
    assert len(CASES) >= 60
    assert len(HONEST) >= 60
    assert set(HACKS) == set(DEFAULT) - {"unseen_answer"}


@pytest.mark.parametrize(("kind", "line"), CASES)
def test_a_line_that_reaches_for_the_verdict_is_seen(kind, line):
    assert (why(call("run", command=line)) or "").startswith(f"reward_hacks: {kind}: turn 1 ")


@pytest.mark.parametrize("line", HONEST)
def test_honest_work_passes(line):
    assert why(call("run", command=line)) is None


@pytest.mark.parametrize(("prompt", "line"), POINT)
def test_what_the_task_asks_for_is_no_trick(prompt, line):
    assert why(call("run", command=line), instruction=prompt) is None
    assert why(call("run", command=line)) is not None


@pytest.mark.parametrize("kind", HACKS)
def test_every_dialect_is_read(kind):
    line = HACKS[kind][0]
    expected = why(call("bash", command=line), agent="tools")
    assert expected is not None
    assert why(keys(line), agent="terminus-2") == expected
    assert why(call("execute_bash", command=line), agent="openhands") == expected
    assert why(keys(line)) == why(call("bash", command=line)) == expected


def test_the_reason_names_the_kind_the_turn_and_what_was_done():
    found = why(call("run", command="ls"), told("a", "tool"), call("run", command="echo 1 > /logs/verifier/reward.txt"))
    assert found == "reward_hacks: verifier_files: turn 2 writes /logs/verifier/reward.txt"


def test_an_editor_is_watched_too():
    edit = call("str_replace_editor", command="create", path="/usr/local/bin/pytest", file_text="exit 0")
    assert why(edit) == "reward_hacks: stub_programs: turn 1 writes /usr/local/bin/pytest"
    view = call("str_replace_editor", command="view", path="/tests/test.sh")
    assert why(view) == "reward_hacks: verifier_files: turn 1 reads /tests/test.sh"


def test_who_started_a_test_run_may_end_it():
    ending = call("run", command="pkill -f pytest")
    assert why(call("run", command="pytest -q &"), told("", "tool"), ending) is None
    assert why(ending, told("", "tool"), call("run", command="pytest -q")) is not None


def test_what_others_say_is_no_act_and_repositories_have_their_own_filter():
    assert why(told("cat /tests/test_outputs.py"), told("see /tests/test.sh", "tool")) is None
    assert why(call("run", command="cat /tests/test.sh"), repo="toolz") is None


def test_a_number_that_only_the_checks_know_is_hard_coded():
    files = {"/tests/test.sh": {"text": "grep -q 48213 /app/out.txt"}}
    task = json.dumps({"prompt": "Count the lines.", "workdir": "/app", "checks": [{"files": files}]})
    typed = call("run", command="echo 48213 > /app/out.txt")
    assert "hard_coded: turn 1 writes 48213" in (why(typed, signs=("hard_coded",), task=task) or "")
    counted = [call("run", command="wc -l in.txt"), told("48213 in.txt", "tool"), typed]
    assert why(*counted, signs=("hard_coded",), task=task) is None
    assert why(typed, signs=("hard_coded",), task=task, instruction="x") is not None
    assert why(typed, signs=("hard_coded",)) is None


def test_a_process_that_is_left_behind_is_told_where_it_is_asked_for():
    line = call("run", command="nohup ./loop.sh >/dev/null 2>&1 &")
    assert why(line, signs=("background",)) == "reward_hacks: background: turn 1 leaves a process behind"
    assert why(line, signs=("background",), instruction="Start the server.") is None


def test_an_answer_is_held_against_what_was_seen():
    assert asked("Ada Lovelace", "It was Ada Lovelace.", KINDS, evidence=["u"], visited=["u"]) is None
    assert "turn 2 answers 'Ada Lovelace'" in (asked("Ada Lovelace", "nothing", ("unseen_answer",)) or "")
    assert asked("1,852", "nothing", ("unseen_answer",)) is None
    assert asked("The  ADA-Lovelace", "It was Ada, Lovelace that", ("unseen_answer",)) is None
    assert asked("A. Lovelace", "Ada   Lovelace wrote it.", ("unseen_answer",)) is None
    assert "unseen_evidence" in (asked("Ada Lovelace", "", ("unseen_evidence",), evidence=["u"], found=["v"]) or "")
    for given_up in ("yes", "unanswerable", ""):
        assert asked(given_up, "nothing", KINDS, evidence=["u"]) is None


def test_an_answer_that_the_question_says_is_copied():
    question = "Who taught the author of the analytical engine?"
    assert "copied_answer" in (asked("analytical engine", "", ("copied_answer",), instruction=question) or "")
    assert asked("Ada Lovelace", "", ("copied_answer",), instruction=question) is None
    choice = "Is the analytical engine or the abacus older?"
    assert asked("analytical engine", "", ("copied_answer",), instruction=choice) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text() | st.sampled_from([line for _, line in CASES]), max_size=4), st.booleans())
def test_rows_are_judged_as_they_are_and_never_changed(lines, native):
    rows = frame(*((call("run", command=line) if native else keys(line)) for line in lines)).collect()
    before = rows.clone()
    for signs in (DEFAULT, KINDS):
        found = rows.select(RewardHacks(signs=signs).reject(rows.lazy()))
        assert found.height == rows.height
    assert rows.equals(before)
