"""Pivots as rows of NeMo-Gym: the very fields of its `swe_pivot` and `terminus_judge`, and what has no place there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datafactory.agent import openhands, tools
from datafactory.errors import DataError
from datafactory.formats.pivots import export, to_row
from datafactory.types import Lineage, LocalRollout, Message, Pivot, ToolCall
from tests.judging.attempts import a_task

COMMON = {"uuid", "responses_create_params", "agent_ref", "pass_rate", "pass_rate_total", "pass_rate_passed"}
FURTHER = {"dataset", "metadata"}


def a_call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall(id=f"call-{name}", name=name, arguments=arguments)


def said(*calls: ToolCall, content: str = "", thought: str | None = None) -> Message:
    return Message(role="assistant", content=content, tool_calls=calls, reasoning_content=thought)


def a_pivot(expected: Message, *history: Message, agent: str = "tools", **more: Any) -> Pivot:
    return Pivot(
        task_id="count-1",
        attempt=0,
        turn=1,
        turns=3,
        agent=agent,
        messages=(Message(role="user", content="Go."), *history),
        tools=more.pop("tools", ()),
        expected=expected,
        expert="expert",
        policy="student",
        rollouts=(LocalRollout(message=expected, score=1.0, rung="text"), LocalRollout(message=expected, score=0.0)),
        passed=1,
        total=2,
        mean=0.5,
        variance=0.25,
        max_mean=0.75,
        verifier="action",
        lineage=Lineage(run="r", model="student-8b"),
        **more,
    )


def test_a_turn_of_one_call_is_a_row_of_swe_pivot() -> None:
    ls = a_call("bash", command="ls")
    history = (said(ls, thought="Look."), Message(role="tool", content="in.txt", tool_call_id=ls.id, name="bash"))
    made = to_row(a_pivot(said(a_call("bash", command="cat ü")), *history, tools=tools.Tools.tools), a_task())
    assert made is not None
    file, row = made
    assert file == "swe_pivot.jsonl"
    assert set(row) == COMMON | FURTHER | {"expected_action", "pivot_tags"}
    assert row["expected_action"] == {"type": "function_call", "name": "bash", "arguments": '{"command": "cat ü"}'}
    assert row["agent_ref"] == {"type": "responses_api_agents", "name": "swe_pivot_tool_simulation_agent"}
    assert (row["pass_rate"], row["pass_rate_total"], row["pass_rate_passed"]) == (0.5, 2, 1)
    asked = row["responses_create_params"]
    assert set(asked) == {"input", "tools", "parallel_tool_calls", "tool_choice"}
    assert asked["input"] == [
        {"role": "user", "content": "Go."},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look."}]},
        {"type": "function_call", "call_id": ls.id, "name": "bash", "arguments": '{"command": "ls"}'},
        {"type": "function_call_output", "call_id": ls.id, "output": "in.txt"},
    ]
    assert [(tool["type"], tool["name"]) for tool in asked["tools"]] == [("function", "bash"), ("function", "submit")]
    assert all("function" not in tool and tool["parameters"]["type"] == "object" for tool in asked["tools"])


def test_a_turn_at_a_terminal_is_a_row_of_terminus_judge() -> None:
    turn = {"analysis": "a", "plan": "p", "commands": [{"keystrokes": "ls\n", "duration": 1.0}]}
    expected = said(content=f"So:\n{json.dumps(turn)}\nDone.")
    made = to_row(a_pivot(expected, agent="terminus-2"), a_task())
    assert made is not None
    file, row = made
    assert file == "terminus_judge.jsonl"
    assert set(row) == COMMON | FURTHER | {"expected_answer", "threshold"}
    assert json.loads(row["expected_answer"]) == turn
    assert row["agent_ref"] == {"type": "responses_api_agents", "name": "terminus_judge_simple_agent"}
    assert set(row["responses_create_params"]) == {"input"}
    assert (row["metadata"]["harness"], row["metadata"]["category"]) == ("terminus_2", "others")


def test_a_thought_beside_a_call_leaves_one_call_and_tags_are_messages() -> None:
    both = said(a_call("think", thought="Hm."), a_call("execute_bash", command="ls"))
    made = to_row(a_pivot(both, agent="openhands", tools=openhands.OpenHands.tools), a_task())
    assert made is not None
    assert made[1]["expected_action"]["name"] == "execute_bash"
    tagged = to_row(a_pivot(said(content="<search>who</search>"), agent="search-tags"), a_task())
    assert tagged is not None
    assert tagged[1]["expected_action"] == {"type": "message", "content": "<search>who</search>"}


def test_turns_that_have_no_place_are_left_out_of_the_count(tmp_path: Path) -> None:
    two = a_pivot(said(a_call("bash", command="ls"), a_call("bash", command="pwd")))
    broken = a_pivot(said(content='{"analysis": "a"'), agent="terminus-2")
    whole = a_pivot(said(a_call("bash", command="ls")))
    assert export([(pivot, a_task()) for pivot in (two, whole, broken)], tmp_path / "one") == 1
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["swe_pivot.jsonl"]
    with pytest.raises(DataError, match="no place for any of the pivots"):
        export([(two, a_task()), (broken, a_task())], tmp_path / "none")
