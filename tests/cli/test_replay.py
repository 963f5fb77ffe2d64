"""`datafactory replay`: turn by turn, with keys where a person sits there and without where nobody does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from datafactory.types import Message, ToolCall

Call = Callable[..., Any]
MORE = "q quit"


def test_without_a_terminal_all_turns_are_printed(call: Call, runs: Path) -> None:
    done = call("replay", "demo", "alpha-00000/1", "--runs", runs)
    assert done.returncode == 0, done.stderr
    order = ["what the agent is told", "turn 1 of 2", "$ wc -l in.txt", "New Terminal Output", "turn 2 of 2", "verdict"]
    places = [done.stdout.index(word) for word in order]
    assert places == sorted(places)
    assert MORE not in done.stdout
    assert "not solved (reward 0.25); ended: turn_limit" in done.stdout
    assert "saw 2" in done.stdout


def test_a_terminus_answer_is_told_apart_into_thought_analysis_plan_and_keys(call: Call, runs: Path) -> None:
    said = call("replay", "demo", "alpha-00000/1", "--all", "--runs", runs).stdout
    for word in ("analysis:", "plan:", "thinks:", "It is 1.", "says that the task is complete"):
        assert word in said
    assert "keystrokes" not in said
    assert "<think>" not in said


def test_keys_go_on_go_back_and_quit(on_terminal: Call, runs: Path) -> None:
    keys = [(MORE, " "), (MORE, "\r"), (MORE, "b"), (MORE, "q")]
    code, said = on_terminal("replay", "demo", "alpha-00000/1", "--runs", runs, keys=keys)
    assert code == 0
    shown = [word for word in said.replace("\r", "").split("\n") if "[" in word and MORE in word]
    assert [line.partition("/4]")[0][-1] for line in shown] == ["1", "2", "3", "2"]
    assert "verdict" not in said


def test_an_arrow_key_is_one_key(on_terminal: Call, runs: Path) -> None:
    keys = [(MORE, "\x1b[C"), (MORE, "\x1b[D"), (MORE, "\x1b")]
    code, said = on_terminal("replay", "demo", "alpha-00000/1", "--runs", runs, keys=keys)
    assert code == 0
    assert said.count(MORE) == 3


def test_after_the_last_turn_the_replay_ends(on_terminal: Call, runs: Path) -> None:
    code, said = on_terminal("replay", "demo", "alpha-00000/1", "--runs", runs, keys=[(MORE, "n")] * 4)
    assert code == 0
    assert "verdict" in said


def test_ctrl_c_ends_a_replay_with_its_own_code(on_terminal: Call, runs: Path) -> None:
    code, said = on_terminal("replay", "demo", "alpha-00000/1", "--runs", runs, keys=[(MORE, "\x03")])
    assert code == 130
    assert "Traceback" not in said


async def test_tool_calls_are_shown_as_commands_and_faults_are_named(call: Call, maker: Any) -> None:
    task = maker.task("alpha-00000", "alpha")
    run = ToolCall(id="1", name="bash", arguments={"command": "ls -la\npwd", "timeout": 5})
    submit = ToolCall(id="2", name="submit", arguments={})
    attempt = maker.attempt(task, 0, 1.0).but(
        agent="tools",
        messages=(
            Message(role="system", content="You work in a shell."),
            Message(role="user", content=task.prompt),
            Message(role="assistant", content="I look.", reasoning_content="hmm", tool_calls=(run,)),
            Message(role="tool", name="bash", tool_call_id="1", content="in.txt"),
            Message(role="assistant", content="no call", fault="no_tool_call"),
            Message(role="user", content="Call a tool."),
            Message(role="assistant", tool_calls=(submit,)),
        ),
    )
    await maker.attempts(3, [attempt])
    said = call("replay", maker.path, "alpha-00000/0", "--all").stdout
    for word in ("hmm", "$ ls -la", "    pwd", '"timeout": 5', "bash answers:", "fault: no_tool_call", "calls submit"):
        assert word in said


async def test_an_answer_that_is_no_json_is_shown_as_it_is(call: Call, maker: Any) -> None:
    task = maker.task("alpha-00000", "alpha")
    attempt = maker.attempt(task, 0, None).but(
        messages=(Message(role="user", content="go"), Message(role="assistant", content="I would run ls {"))
    )
    await maker.attempts(2, [attempt])
    said = call("replay", maker.path, "alpha-00000/0", "--all").stdout
    assert "I would run ls {" in said
    assert "not judged" in said


def test_a_task_cannot_be_replayed_and_the_error_names_its_attempts(call: Call, runs: Path) -> None:
    done = call("replay", "demo", "alpha-00001", "--runs", runs)
    assert done.returncode == 1
    assert "alpha-00001/0, alpha-00001/1" in done.stderr
