"""What an agent did is read alike in every dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from filters.actions import actions, changes, failure, outcome, runs, useful
from tests.filters.process_rows import Message, bash, call, edit, result, said


def done(*messages: Message, agent: str = "", tools: tuple[str, ...] = ()) -> list[Any]:
    offered = [json.dumps({"type": "function", "function": {"name": name}}) for name in tools]
    return actions([json.dumps(message) for message in messages], agent, offered)


def typed(*keys: str, complete: bool = False) -> Message:
    commands = [{"keystrokes": text, "duration": 1.0} for text in keys]
    return said(json.dumps({"analysis": "a", "plan": "p", "commands": commands, "task_complete": complete}))


def kinds(*messages: Message, agent: str = "") -> list[tuple[str, str]]:
    return [(action.kind, action.text) for action in done(*messages, agent=agent)]


def test_keys_of_one_answer_are_one_command() -> None:
    screen = said("root@box:/app# ls\na.txt", "user")
    given = [
        said("Go.", "user"),
        typed("cd /app\n", "ls\n"),
        screen,
        typed("C-c"),
        screen,
        typed(),
        typed(complete=True),
    ]
    for agent in ("terminus-2", ""):
        assert kinds(*given, agent=agent) == [
            ("command", "cd /app\nls\n"),
            ("keys", "C-c"),
            ("wait", ""),
            ("submit", ""),
        ]
    assert done(*given)[0].seen == "root@box:/app# ls\na.txt"
    assert [action.place for action in done(*given)] == [1, 3, 5, 6]


def test_an_answer_that_cannot_be_read_is_a_fault() -> None:
    found = done(said("{ls", "assistant"), agent="terminus-2")[0]
    assert (found.kind, bool(found.fault)) == ("nothing", True)
    spoken = done(said("I will list the files."), agent="tools")[0]
    assert (spoken.kind, spoken.fault) == ("nothing", "no tool was called")


def test_tools_of_both_kinds_are_read_with_their_results() -> None:
    one = bash("ls")
    one["tool_calls"].append({**call("think", thought="hm")["tool_calls"][0], "id": "d"})
    found = done(one, {**result("later"), "tool_call_id": "d"}, result("first\n[exit code 2]"), agent="openhands")
    assert [(action.kind, action.seen, action.exit_code) for action in found] == [
        ("command", "first\n[exit code 2]", 2),
        ("think", "later", None),
    ]
    shell = done(call("shell", command="ls"), result("exit code: 1\nno"), agent="tools")[0]
    assert (shell.kind, shell.exit_code) == ("command", 1)


def test_editors_view_and_change() -> None:
    found = done(call("str_replace_editor", command="view", path="a.py"), result("1 x"), edit("a.py"), result())
    assert [(action.kind, action.path, action.how, action.text) for action in found] == [
        ("view", "a.py", "view", ""),
        ("edit", "a.py", "str_replace", "a <= b"),
    ]
    assert done(call("finish", message="done"))[0].kind == "submit"


def test_searches_are_read_from_calls_and_from_tags() -> None:
    native = [
        call("search", query=["x", "y"]),
        result("p"),
        call("visit", url="u"),
        result("q"),
        call("answer", answer="7"),
    ]
    expected = [("search", "x\ny"), ("visit", "u"), ("answer", "7")]
    assert kinds(*native, agent="search") == expected
    tags = [said("<search>x</search>"), said("p", "user"), said("<access>u</access>"), said("q", "user")]
    assert kinds(*tags, said("<answer>7</answer>")) == [("search", "x"), *expected[1:]]


def test_a_tool_that_nobody_offers_is_a_fault() -> None:
    found = done(call("fly", to="Rome"), tools=("shell",))[0]
    assert (found.kind, found.fault) == ("nothing", "there is no tool `fly`")
    assert done(call("fly", to="Rome"))[0].kind == "other"


def test_messages_that_are_no_json_are_passed_over() -> None:
    assert actions(["{", "7", json.dumps(bash("ls"))], "openhands")[0].place == 2


@pytest.mark.parametrize(
    ("line", "paths"),
    [
        ("echo x > a.txt", ["a.txt"]),
        ("cd /app && sed -i s/a/b/ core.py", ["core.py"]),
        ("cp a.txt b.txt", ["b.txt"]),
        ("tee one two < x", ["one", "two"]),
        ("python -c \"open('out.txt', 'w').write('x')\"", ["out.txt"]),
        ("cat a.txt | sort", []),
        ("ls 2>/dev/null", []),
    ],
)
def test_what_a_line_writes(line: str, paths: list[str]) -> None:
    assert [change.path for change in changes(done(bash(line))[0])] == paths


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("pytest -q", "tests"),
        ("python -m unittest", "tests"),
        ("cd x && make test", "tests"),
        ("bash run_tests.sh", "tests"),
        ("python repro.py", "program"),
        ("ls", ""),
    ],
)
def test_what_a_line_runs(line: str, kind: str) -> None:
    assert runs(done(bash(line))[0]) == kind


def test_how_tests_ended() -> None:
    ended = outcome(done(bash("pytest -q"), result("FAILED t.py::test_a\n1 failed, 2 passed\n[exit code 1]"))[0])
    assert ended is not None
    assert ended.failed
    passed = outcome(done(bash("pytest -q"), result("3 passed\n[exit code 0]"))[0])
    assert passed is not None
    assert not passed.failed


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        ("bash: frob: command not found\n[exit code 127]", "shell"),
        ("Traceback (most recent call last):\nValueError: x\n[exit code 1]", "traceback"),
        ("[timed out after 30 seconds; the command was ended and a new shell was started]", "timeout"),
        ("x\n[exit code 0]", None),
    ],
)
def test_whether_a_command_failed(shown: str, kind: str | None) -> None:
    found = failure(done(bash("frob a"), result(shown), agent="openhands")[0], repo=False)
    assert (found.kind if found else None) == kind


def test_what_is_useful_did_something_and_did_not_fail() -> None:
    made, looked, failed = done(
        bash("echo x > a"),
        result(),
        bash("ls"),
        result(),
        bash("echo x > /nope/a"),
        result("No such file\n[exit code 1]"),
    )
    assert [useful(action, repo=False) for action in (made, looked, failed)] == [True, False, False]
