"""Trace rows as Harbor and Nemotron-Terminal-Corpus write them."""

import importlib
import json

import pytest

from datafactory.formats import FORMATS
from datafactory.formats.conversations import export, export_sharegpt, to_conversation, to_sharegpt
from datafactory.types import Check, CheckResult, Lineage, Message, Source, Task, ToolCall, Trajectory, Verdict

TASK = Task(
    id="skills-3",
    digest="d" * 16,
    prompt="Count.",
    checks=(Check(name="c", argv=("true",)),),
    source=Source(generator="skills"),
)
TOOL = {"type": "function", "function": {"name": "bash"}}
CALLS = (
    ToolCall(id="c1", name="bash", arguments={"command": "ls é"}),
    ToolCall(id="c2", name="bash", arguments={"command": "pwd"}),
)


def attempt(*messages: Message, **fields) -> Trajectory:
    """A trajectory of those messages."""
    made = {"task_id": "skills-3", "attempt": 1, "teacher": "vllm", "agent": "terminus-2", "stop": "submitted"}
    return Trajectory(**{**made, "messages": messages, "lineage": Lineage(run="r1", model="m-1"), **fields})


USER = Message(role="user", content="Count.")
DONE = Message(role="assistant", content="done")


def turns(*messages: Message, **fields) -> list[tuple[str, str]]:
    """The conversation as pairs."""
    made = to_conversation(attempt(*messages, **fields), TASK)["conversations"]
    return [(turn["role"], turn["content"]) for turn in made]


def test_the_row_has_harbors_columns_and_nemotrons():
    verdict = Verdict(reward=1.0, checks=(CheckResult(name="c", outcome="passed", score=1, log="2 passed"),))
    made = to_conversation(attempt(USER, DONE, USER, DONE, verdict=verdict), TASK)
    made.pop("conversations")
    assert made == {
        "agent": "terminus-2",
        "model": "m-1",
        "model_provider": "vllm",
        "date": "",
        "task": "skills-3",
        "episode": "episode-1",
        "run_id": "r1",
        "trial_name": "skills-3__1",
        "result": "1.0",
        "enable_thinking": False,
        "source": "skills",
        "instruction": "Count.",
        "verifier_output": "2 passed",
        "tool_definitions": [],
    }
    assert to_conversation(attempt(USER, DONE), TASK)["result"] is None


def test_thoughts_and_calls_are_told_in_the_text():
    said = Message(role="assistant", content="Look.", reasoning_content="hm", tool_calls=CALLS[:1])
    call = '<tool_call>\n{"name": "bash", "arguments": {"command": "ls é"}}\n</tool_call>'
    assert turns(USER, said) == [("user", "Count."), ("assistant", f"<think>hm</think>\nLook.\n{call}")]


def test_a_system_message_becomes_a_user_turn_that_shows_the_tools():
    system = Message(role="system", content="You work.")
    shown = f"<tools>\n{json.dumps([TOOL], indent=2)}\n</tools>\n\nYou work."
    assert turns(system, USER, DONE, tools=(TOOL,))[:2] == [("user", shown), ("user", "Count.")]
    assert turns(system, USER, DONE)[0] == ("user", "You work.")


def test_results_of_one_turn_are_one_user_turn():
    said = Message(role="assistant", tool_calls=CALLS)
    results = [Message(role="tool", content=text, tool_call_id=f"c{i}") for i, text in ((1, "a"), (2, "b"))]
    assert turns(USER, said, *results, DONE)[2:] == [("user", "a\nb"), ("assistant", "done")]


def test_what_followed_the_last_answer_is_left_out():
    assert turns(USER, DONE, Message(role="user", content="New Terminal Output:")) == turns(USER, DONE)


def test_a_lost_opening_think_tag_is_put_back():
    said = Message(role="assistant", content="hm</think>{}")
    assert turns(USER, said)[-1] == ("assistant", "<think>hm</think>{}")


def test_sharegpt_renames_the_speakers():
    made = to_sharegpt(attempt(USER, DONE), TASK)
    assert made["conversations"] == [{"from": "human", "value": "Count."}, {"from": "gpt", "value": "done"}]


def test_an_attempt_without_an_answer_makes_no_row(tmp_path):
    pairs = [(attempt(USER, DONE), TASK), (attempt(USER, stop="time_limit"), TASK)]
    assert export(pairs, tmp_path) == export_sharegpt(pairs, tmp_path) == 1
    (line,) = (tmp_path / "conversations.jsonl").read_text().splitlines()
    assert json.loads(line) == to_conversation(*pairs[0])


@pytest.mark.parametrize("name", ["messages", "atif", "conversations", "sharegpt"])
def test_a_format_is_written_into_a_folder_and_counted(tmp_path, name):
    module, _, function = FORMATS[name].partition(":")
    write = getattr(importlib.import_module(module), function)
    assert write(iter([(attempt(USER, DONE), TASK)]), tmp_path) == 1
    (made,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert made.stat().st_size > 0
