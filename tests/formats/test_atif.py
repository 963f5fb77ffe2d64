"""ATIF documents, judged by the format's own rules."""

import copy
import json

import pytest

from datafactory.errors import DataError
from datafactory.formats.atif import export, to_atif, validate
from datafactory.types import Check, CheckResult, Lineage, Message, Source, Task, ToolCall, Trajectory, Usage, Verdict

TASK = Task(
    id="skills-3",
    digest="d" * 16,
    prompt="Count.",
    checks=(Check(name="c", argv=("true",)),),
    source=Source(generator="skills"),
)
LS = ToolCall(id="c1", name="bash", arguments={"command": "ls"})
PWD = ToolCall(id="c2", name="bash", arguments={"command": "pwd"})
TOOL = {"type": "function", "function": {"name": "bash", "parameters": {"type": "object"}}}
MESSAGES = (
    Message(role="system", content="You work in a shell."),
    Message(role="user", content="Count."),
    Message(role="assistant", content="Looking.", reasoning_content="two at once", tool_calls=(LS, PWD)),
    Message(role="tool", content="in.txt", tool_call_id="c1", name="bash"),
    Message(role="tool", content="/app", tool_call_id="c2", name="bash"),
    Message(role="assistant", content="hm", fault="no tool call"),
    Message(role="user", content="Call a tool."),
    Message(role="assistant", content="Done."),
)


def attempt(**fields) -> Trajectory:
    """A trajectory of a model with two calls in one turn, and a turn that was an error."""
    made = {
        "task_id": "skills-3",
        "attempt": 1,
        "teacher": "vllm",
        "agent": "tools",
        "messages": MESSAGES,
        "tools": (TOOL,),
        "stop": "submitted",
        "verdict": Verdict(reward=0.5, checks=(CheckResult(name="c", outcome="passed", score=0.5, log="long"),)),
        "usage": Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=2),
        "lineage": Lineage(run="r1", model="m-1", code_version="0.1.0+abc"),
    }
    return Trajectory(**{**made, **fields})


def test_calls_and_their_results_share_a_step():
    document = to_atif(attempt(), TASK)
    assert [(s["step_id"], s["source"]) for s in document["steps"]] == [
        (1, "system"),
        (2, "user"),
        (3, "agent"),
        (4, "agent"),
        (5, "agent"),
    ]
    step = document["steps"][2]
    assert [call["tool_call_id"] for call in step["tool_calls"]] == ["c1", "c2"]
    assert step["observation"]["results"] == [
        {"source_call_id": "c1", "content": "in.txt"},
        {"source_call_id": "c2", "content": "/app"},
    ]
    assert document["steps"][3]["observation"] == {"results": [{"content": "Call a tool."}]}
    assert document["steps"][3]["extra"] == {"fault": "no tool call"}


def test_steps_before_a_compaction_say_that_they_saw_more():
    document = to_atif(attempt(compacted=5, student_tokens=99), TASK)
    assert [step.get("extra", {}).get("saw_more") for step in document["steps"]] == [None, None, True, None, None]
    assert document["extra"]["student_tokens"] == 99


def test_the_head_says_who_acted_and_what_it_cost():
    document = to_atif(attempt(), TASK)
    assert document["schema_version"] == "ATIF-v1.7" and document["session_id"] == "r1"
    assert document["trajectory_id"] == "skills-3/1"
    agent = {"name": "tools", "version": "0.1.0+abc", "model_name": "m-1", "tool_definitions": [TOOL]}
    assert document["agent"] == {**agent, "extra": {"teacher": "vllm"}}
    assert document["final_metrics"] == {
        "total_prompt_tokens": 10,
        "total_completion_tokens": 5,
        "total_cached_tokens": 2,
        "total_steps": 5,
    }
    assert document["extra"]["reward"] == 0.5 and "reward" not in to_atif(attempt(verdict=None), TASK)["extra"]


@pytest.mark.parametrize(
    ("teacher", "model", "calls"),
    [
        ("vllm", "m-1", 1),
        ("oracle", "oracle", 0),
        ("oracle", "", 0),
        ("scripted", "scripted", 0),
        ("scripted", "m-1", 1),
        ("vllm", "", None),
    ],
)
def test_model_calls_are_counted_where_known(teacher, model, calls):
    document = to_atif(attempt(teacher=teacher, lineage=Lineage(model=model)), TASK)
    assert document["agent"].get("model_name") == ("m-1" if calls == 1 else None)
    step = document["steps"][2]
    assert step.get("llm_call_count") == calls
    assert step.get("reasoning_content") == (None if calls == 0 else "two at once")
    assert step.get("extra") == ({"reasoning_content": "two at once"} if calls == 0 else None)


def test_a_result_of_another_steps_call_names_no_source():
    stray = Message(role="tool", content="late", tool_call_id="c1")
    document = to_atif(attempt(messages=(*MESSAGES, stray)), TASK)
    assert document["steps"][-1]["observation"]["results"] == [{"content": "late"}]
    validate(document)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d.update(colour="red"), "colour"),
        (lambda d: d["steps"][0].update(mood="good"), "mood"),
        (lambda d: d["steps"][4].update(step_id=9), "step_id 9 where 5 was due"),
        (lambda d: d["steps"].clear(), "steps"),
        (lambda d: d["steps"][1].update(model_name="m"), "only an agent step has model_name"),
        (lambda d: d["steps"][2].update(llm_call_count=0), "without a model call has no reasoning_content"),
        (lambda d: d["steps"][2]["observation"]["results"][0].update(source_call_id="c9"), "c9"),
        (lambda d: d["steps"][2].update(timestamp="yesterday"), "timestamp"),
        (lambda d: d.update(schema_version="ATIF-v0.9"), "schema_version"),
        (lambda d: d["agent"].pop("version"), "agent.version"),
    ],
)
def test_what_the_format_forbids_is_found(spoil, message):
    document = copy.deepcopy(to_atif(attempt(), TASK))
    validate(document)
    spoil(document)
    with pytest.raises(DataError, match=message):
        validate(document)


def test_a_trajectory_without_messages_cannot_be_told():
    with pytest.raises(DataError, match="skills-3/1"):
        to_atif(attempt(messages=()), TASK)


def test_an_export_is_one_document_a_line_or_no_file(tmp_path):
    pairs = [(attempt(), TASK), (attempt(attempt=2, verdict=None), TASK)]
    assert export(pairs, tmp_path / "out") == 2
    lines = (tmp_path / "out" / "atif.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [to_atif(*pair) for pair in pairs]
    with pytest.raises(DataError):
        export([(attempt(messages=()), TASK)], tmp_path / "broken")
    assert list((tmp_path / "broken").iterdir()) == []
