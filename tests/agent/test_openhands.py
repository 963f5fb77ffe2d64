"""Whole attempts with the tools of OpenHands, also in a box where nothing can be executed."""

from __future__ import annotations

from typing import Any

import pytest

from datafactory.agent import MALFORMED, Attempted, Limits, attempt, dialect
from datafactory.protocols import Episode
from datafactory.teachers.scripted import ScriptedTeacher
from datafactory.types import File, Task
from sandboxes.namespace import NamespaceSandbox
from sandboxes.no_execution import NoExecutionSandbox


def calls(*made: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "content": "",
        "tool_calls": [{"id": f"c{n}", "name": name, "arguments": given} for n, (name, given) in enumerate(made)],
    }


def bash(command: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "execute_bash", {"command": command, **more}


def edit(command: str, path: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "str_replace_editor", {"command": command, "path": path, **more}


DONE = ("finish", {"message": "done"})


async def run(task: Task, box: Any, *replies: Any) -> Attempted:
    episode = Episode(id="t-0/0", seed=1, task=task, agent="openhands")
    async with ScriptedTeacher(replies=replies).open() as chat:
        return await attempt(dialect("openhands")(task, box), chat, limits=Limits(turns=20), episode=episode)


def results(made: Attempted) -> list[str]:
    return [message.content for message in made.messages if message.role == "tool"]


async def test_an_attempt_thinks_runs_edits_and_finishes(task: Task, box: Any):
    made = await run(
        task,
        box,
        calls(("think", {"thought": "a file is wanted"})),
        calls(bash("cd / && X=7"), bash("pwd; echo $X; false", is_input="false")),
        calls(edit("create", f"{box.root}/out.txt", file_text="done\n"), DONE),
    )
    assert "executed" not in made.messages[1].content
    assert made.stop == "submitted"
    assert (box.root / "out.txt").read_text() == "done\n"
    assert results(made)[1:3] == ["(no output)\n[exit code 0]", "/\n7\n[exit code 1]"]
    names = [tool["function"]["name"] for tool in made.tools]
    assert names == ["execute_bash", "str_replace_editor", "think", "finish"]
    assert all(message.fault is None for message in made.messages)


async def test_a_command_that_runs_too_long_is_ended_and_takes_no_input(task: Task, box: Any):
    made = await run(task, box, calls(bash("sleep 60", timeout=0.5), bash("y", is_input="true")), calls(DONE))
    assert results(made)[0].endswith("[timed out after 0.5 seconds; the command was ended and a new shell was started]")
    assert results(made)[1].startswith("ERROR: no command is running")


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (("bash", {}), "there is no tool `bash`"),
        (("think", {}), "`think` needs a `thought`, which is a string"),
        (bash("ls", is_input=True), '`is_input` must be one of "true", "false"'),
        (bash("ls", timeout=0), "`timeout` must be a number above 0"),
        (edit("open", "/x"), "`str_replace_editor` needs a `command`, which is one of"),
        (edit("view", "/x", view_range=[1, "2"]), "`view_range` must be a list of which each is a whole number"),
        (edit("insert", "/x", insert_line="1"), "`insert_line` must be a whole number"),
        (edit("view", "/x", mode=1), "has no argument `mode`"),
        (("finish", {MALFORMED: "{"}), "no JSON object"),
    ],
)
async def test_a_wrong_call_is_a_fault_with_feedback(task: Task, box: Any, call: Any, problem: str):
    made = await run(task, box, calls(call), calls(DONE))
    assert problem in (made.messages[2].fault or "")
    assert results(made)[0].startswith("ERROR: ")
    assert problem in results(made)[0]
    assert made.stop == "submitted"


async def test_an_answer_without_a_call_is_told_so(task: Task, box: Any):
    made = await run(task, box, "All done!", calls(DONE))
    assert made.messages[2].fault == "no tool was called"
    assert "called no tool" in made.messages[3].content


@pytest.mark.namespace
async def test_all_but_execution_works_where_nothing_can_be_executed(task: Task):
    task = task.but(workdir="/app")
    files = {
        "/app/core.py": File(data=b"def add(a, b):\n    return a - b\n", mode=0o755),
        "/app/pkg/x.py": File(data=b"x\n"),
    }
    sandbox = NoExecutionSandbox(inside=NamespaceSandbox(memory="512m", disk="256m", pids=96, limiting="auto"))
    async with sandbox.start() as host, host.open("", files) as box:
        made = await run(
            task,
            box,
            calls(edit("view", "/app"), bash("python3 -c 1"), bash("grep -n return core.py")),
            calls(edit("str_replace", "/app/core.py", old_str="a - b", new_str="a + b")),
            calls(edit("insert", "/app/core.py", insert_line=0, new_str="# sums"), edit("undo_edit", "/app/core.py")),
            calls(edit("create", "/app/new/y.py", file_text="y\n"), edit("undo_edit", "/app/new/y.py")),
            calls(
                edit("create", "/usr/bin/python3", file_text="#!/bin/sh\n"),
                edit("create", "/app/.git/config", file_text=""),
            ),
            calls(DONE),
        )
        content = await box.read("/app/core.py")
        gone = await box.read("/app/new/y.py")
        tried = [violation.command for violation in box.violations]
    assert "Nothing can be executed here" in made.messages[1].content
    assert made.stop == "submitted"
    seen = results(made)
    assert seen[0] == "/app, two levels deep:\ncore.py\npkg/\npkg/x.py"
    assert "not run: " in seen[1]
    assert seen[1].endswith("[exit code 126]")
    assert seen[2] == "2:    return a - b\n[exit code 0]"
    assert not any(answer.startswith("ERROR: ") for answer in seen[:8])
    assert content == b"def add(a, b):\n    return a + b\n"
    assert gone is None
    assert all(answer.startswith("ERROR: ") for answer in seen[8:])
    assert "may not be written" in seen[8]
    assert "belongs to git" in seen[9]
    assert tried == ["python3 -c 1", "/app/.git/config"]
