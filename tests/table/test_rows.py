"""What a row says about an attempt."""

from pathlib import Path

import pytest

from datafactory.errors import DataError
from datafactory.table import COLUMNS, PHASE, RANK, content_hash, example, row
from datafactory.types import Hop, Message, Question, Source, Task, ToolCall, Violation, files


def test_a_row_has_exactly_the_columns(attempt):
    assert list(row(*attempt())) == [column.name for column in COLUMNS]


def test_every_column_is_documented_with_its_meaning():
    page = (Path(__file__).parents[2] / "docs" / "dataset.md").read_text()
    for column in (*COLUMNS, RANK, PHASE):
        assert f"| `{column.name}` |" in page and column.about in page, column.name


def test_faulty_turns_carry_no_loss(attempt):
    made = row(*attempt(dialect="text"))
    assert made["train_turns"] == [False, False, False, True]
    assert (made["n_faults"], made["n_turns"], made["n_messages"]) == (1, 2, 4)


def test_turns_before_a_compaction_carry_no_loss(attempt):
    trajectory, task = attempt(dialect="tools", compacted=3, student_tokens=99)
    made = row(trajectory, task)
    assert made["train_turns"] == [False, False, False, False, True]
    assert made["student_tokens"] == 99
    assert row(trajectory.but(compacted=2), task)["train_turns"][2] is True


@pytest.mark.parametrize(
    ("reward", "solved", "resolved"), [(1.0, True, 1), (0.5, False, 0), (0.0, False, 0), (None, None, -1)]
)
def test_a_verdict_is_told_three_ways(attempt, reward, solved, resolved):
    made = row(*attempt(reward=reward))
    assert (made["reward"], made["solved"], made["resolved"]) == (reward, solved, resolved)


def test_a_row_of_an_swe_task_says_what_was_changed_and_what_was_refused(attempt):
    trajectory, plain = attempt(
        artifacts=files({"/run/model.patch": b"--- a/\xff\n"}),
        violations=(Violation(command="python x", reason="no"),),
    )
    facts = {"instance_id": "o__n.12345678.x__y", "repo": "o__n", "held_out": ["tests/t.py"]}
    task = plain.but(artifacts=("/run/model.patch",), source=Source(generator="swe", facts=facts))
    made = row(trajectory, task)
    assert (made["repo"], made["instance_id"], made["held_out"]) == ("o__n", "o__n.12345678.x__y", ["tests/t.py"])
    assert made["model_patch"] == "--- a/\ufffd\n"
    assert made["violations"] == [{"command": "python x", "reason": "no"}]
    assert row(trajectory.but(artifacts={}), task)["model_patch"] == ""
    none = row(trajectory, plain)
    assert (none["repo"], none["instance_id"], none["held_out"], none["model_patch"]) == ("", "", [], None)


def test_a_row_of_a_question_says_what_was_asked_answered_and_read(attempt):
    trajectory, plain = attempt(answer="1815", found=("a", "b"), visited=("b",))
    hops = (Hop(url="a", statement="She was born in 1815.", finds="1815"), Hop(url="a", statement="She wrote."))
    question = Question(corpus="corpus/c-0", text="When?", answers=("1815", "in 1815"), hops=hops)
    made = row(trajectory, plain.but(question=question))
    assert (made["corpus"], made["answer"], made["answers"]) == ("corpus/c-0", "1815", ["1815", "in 1815"])
    assert (made["evidence"], made["found"], made["visited"]) == (["a"], ["a", "b"], ["b"])
    none = row(trajectory, plain)
    assert (none["corpus"], none["answers"], none["evidence"]) == ("", [], [])


def test_facts_of_an_swe_task_that_make_no_sense_are_named(attempt):
    trajectory, plain = attempt()
    with pytest.raises(DataError, match=r"'t-1'.*repo"):
        row(trajectory, plain.but(source=Source(generator="swe", facts={"instance_id": "x"})))


def test_a_task_can_be_taken_out_of_its_row_again(attempt):
    trajectory, task = attempt()
    assert Task.model_validate_json(row(trajectory, task)["task"]) == task


def test_the_hash_sees_what_was_said_but_not_call_ids():
    def said(call_id: str, command: str) -> tuple[Message, ...]:
        call = ToolCall(id=call_id, name="bash", arguments={"command": command})
        return (Message(role="assistant", tool_calls=(call,)), Message(role="tool", tool_call_id=call_id))

    assert content_hash(said("x", "ls")) == content_hash(said("y", "ls"))
    assert content_hash(said("x", "ls")) != content_hash(said("x", "pwd"))


def test_an_attempt_at_another_task_is_refused(attempt):
    trajectory, _ = attempt("t-1")
    with pytest.raises(DataError, match="t-1/0"):
        row(trajectory, attempt("t-2")[1])


@pytest.mark.parametrize("dialect", ["tools", "text"])
def test_an_example_comes_back_from_its_row(attempt, dialect):
    trajectory, task = attempt(dialect=dialect)
    made = example({**row(trajectory, task), "rank": 4})
    assert made.rank == 4 and made.tools == trajectory.tools
    assert made.messages == tuple(m.but(fault=None) for m in trajectory.messages)
