"""Two turns do the same where their words, or what they do, say so; the rung is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from datafactory.agent import openhands, tools
from datafactory.agent.search import native
from datafactory.pivots import Match, action_of, candidates, matched
from datafactory.types import Message, ToolCall, Trajectory

TOOLS: dict[str, Any] = {
    "tools": (tools.BASH, tools.SUBMIT),
    "openhands": (openhands.EXECUTE_BASH, openhands.STR_REPLACE_EDITOR, openhands.THINK, openhands.FINISH),
    "search": (native.SEARCH, native.VISIT, native.ANSWER),
}


def called(name: str, **arguments: Any) -> Message:
    return Message(role="assistant", content="", tool_calls=(ToolCall(id="c", name=name, arguments=arguments),))


def typed(*keys: str, plan: str = "p", complete: bool = False) -> Message:
    commands = [{"keystrokes": text, "duration": 1.0} for text in keys]
    said = {"analysis": "a", "plan": plan, "commands": commands, "task_complete": complete}
    return Message(role="assistant", content=json.dumps(said))


def said(text: str) -> Message:
    return Message(role="assistant", content=text)


def rung(agent: str, expected: Message, other: Message, **match: float) -> str | None:
    pair = ((message, action_of(message, agent, TOOLS.get(agent, ()))) for message in (expected, other))
    return matched(*pair, Match(**match))


@pytest.mark.parametrize(
    ("agent", "expected", "other", "shown"),
    [
        ("terminus-2", typed("ls\n"), typed("ls\n"), "text"),
        ("terminus-2", typed("ls\n"), typed("ls\n", plan="other words"), "action"),
        ("terminus-2", typed("cd /app\n", "ls\n"), typed("cd /app\nls\n"), "action"),
        ("terminus-2", typed("ls\n"), typed("ls -la\n"), None),
        ("terminus-2", typed(complete=True), typed("ls\n"), None),
        ("terminus-2", typed("ls\n"), said("{broken"), None),
        ("tools", called("bash", command="ls"), called("bash", command=" ls "), "action"),
        ("tools", called("bash", command="ls"), called("bash", command="rm -r ."), None),
        ("tools", called("submit"), called("submit"), "text"),
        ("openhands", called("finish", message="done"), called("finish", message="all done"), "action"),
        (
            "openhands",
            called("str_replace_editor", command="str_replace", path="/a/./b.py", old_str="x", new_str="y"),
            called("str_replace_editor", command="str_replace", path="/a/b.py", old_str="x", new_str="y"),
            "action",
        ),
        (
            "openhands",
            called("str_replace_editor", command="str_replace", path="/a/b.py", old_str="a < b", new_str="a <= b"),
            called("str_replace_editor", command="str_replace", path="/a/b.py", old_str="a < b", new_str="a < b + 1"),
            None,
        ),
        (
            "openhands",
            called("str_replace_editor", command="view", path="/a.py", view_range=[1, 100]),
            called("str_replace_editor", command="view", path="/a.py", view_range=[1, 90]),
            "alike",
        ),
        (
            "openhands",
            called("str_replace_editor", command="view", path="/a.py", view_range=[1, 100]),
            called("str_replace_editor", command="view", path="/b.py", view_range=[1, 100]),
            None,
        ),
        (
            "openhands",
            called("str_replace_editor", command="view", path="/a.py", view_range=[10, -1]),
            called("str_replace_editor", command="view", path="/a.py", view_range=[1, -1]),
            "alike",
        ),
        (
            "openhands",
            called("str_replace_editor", command="view", path="/a.py", view_range=[10, -1]),
            called("str_replace_editor", command="view", path="/a.py", view_range=[10, 90]),
            None,
        ),
        (
            "openhands",
            called("execute_bash", command="ls"),
            called("execute_bash", command="ls", is_input="true"),
            None,
        ),
        ("search", called("search", query=["b", "a"]), called("search", query=["a", "b"]), "action"),
        (
            "search",
            called("search", query=["the founder of Rome"]),
            called("search", query=["founder of Rome"]),
            "alike",
        ),
        ("search", called("search", query=["Rome"]), called("visit", url=["Rome"]), None),
        ("search", called("answer", answer="The Nile."), called("answer", answer="nile"), "action"),
        ("search-tags", said("Hm. <search>who</search>"), said("<search>who</search>"), "action"),
        ("search-tags", said("<answer>7</answer>"), said("<answer>8</answer>"), None),
    ],
)
def test_rungs(agent: str, expected: Message, other: Message, shown: str | None) -> None:
    assert rung(agent, expected, other) == shown


def test_thoughts_beside_an_action_do_not_count() -> None:
    think = ToolCall(id="d", name="think", arguments={"thought": "hm"})
    ls = called("execute_bash", command="ls")
    both = ls.but(tool_calls=(think, *ls.tool_calls))
    assert rung("openhands", ls, both) == "action"


def test_how_near_an_answer_must_come_is_a_knob() -> None:
    one, other = called("bash", command="grep -rn low src"), called("bash", command="grep -rn low src/")
    assert rung("tools", one, other) is None
    assert rung("tools", one, other, command=0.9) == "alike"


def attempt(*messages: Message, compacted: int = 0) -> Trajectory:
    return Trajectory(
        task_id="t",
        attempt=0,
        agent="openhands",
        tools=TOOLS["openhands"],
        teacher="oracle",
        messages=(Message(role="user", content="Go."), *messages),
        stop="submitted",
        compacted=compacted,
    )


def test_turns_that_act_are_candidates_spread_over_the_attempt() -> None:
    seen = Message(role="tool", content="x", tool_call_id="c")
    turns = [message for number in range(9) for message in (called("execute_bash", command=f"echo {number}"), seen)]
    idle = called("think", thought="hm")
    whole = attempt(idle, seen, *turns, said("no call"))
    found = candidates(whole, most=None, spread="even", seed=1)
    assert [turn for turn, _ in found] == list(range(1, 10))
    assert all(
        whole.messages[place].tool_calls[0].arguments == {"command": f"echo {turn - 1}"} for turn, place in found
    )
    assert [turn for turn, _ in candidates(whole, most=3, spread="even", seed=1)] == [1, 5, 9]
    drawn = [candidates(whole, most=3, spread="drawn", seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    late = attempt(*turns, compacted=9)
    assert [turn for turn, _ in candidates(late, most=None, spread="even", seed=1)] == [4, 5, 6, 7, 8]
