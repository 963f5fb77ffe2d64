"""Attempts to make tables of."""

from collections.abc import Callable
from typing import Any

import pytest

from datafactory.types import (
    Check,
    CheckResult,
    Message,
    Source,
    Step,
    Task,
    ToolCall,
    Trajectory,
    Usage,
    Verdict,
    files,
)

BASH = {
    "type": "function",
    "function": {
        "name": "bash",
        "description": "Run a command",
        "parameters": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
    },
}

Pair = tuple[Trajectory, Task]


def _task(id: str) -> Task:
    return Task(
        id=id,
        digest="d" * 16,
        prompt="Count the lines of /app/in.txt.",
        files=files({"/app/in.txt": "a\nb\n", "/app/blob": b"\xff\x00", "/app/run.sh": "#!/bin/sh\n"}),
        checks=(Check(name="count", argv=("test", "-s", "/app/out")),),
        solution=(Step(command="wc -l < /app/in.txt > /app/out"),),
        skills=("count_lines",),
        domain="file_operations",
        source=Source(generator="skills", license="Apache-2.0", facts={"deep": {"x": [1, None]}}),
    )


def _text() -> dict[str, Any]:
    return {
        "agent": "terminus-2",
        "messages": (
            Message(role="user", content="Count the lines."),
            Message(role="assistant", content="I think…", fault="no JSON"),
            Message(role="user", content="Previous response had parsing errors"),
            Message(role="assistant", content='{"commands": []}', reasoning_content="two lines"),
        ),
    }


def _tools() -> dict[str, Any]:
    call = ToolCall(id="c1", name="bash", arguments={"command": "wc -l /app/in.txt", "limits": {"s": 3}})
    submit = ToolCall(id="c2", name="submit", arguments={})
    return {
        "agent": "tools",
        "tools": (BASH,),
        "messages": (
            Message(role="system", content="You work in a shell."),
            Message(role="user", content="Count the lines."),
            Message(role="assistant", tool_calls=(call,)),
            Message(role="tool", content="2", tool_call_id="c1", name="bash"),
            Message(role="assistant", content="Done.", tool_calls=(submit,)),
        ),
    }


@pytest.fixture(scope="session")
def attempt() -> Callable[..., Pair]:
    """Make a pair: ``attempt("t-1", 0, dialect="tools", reward=0.5)``; other keywords are trajectory fields."""

    def make(
        task: str = "t-1", number: int = 0, *, dialect: str = "tools", reward: float | None = 1.0, **more: Any
    ) -> Pair:
        checks = () if reward is None else (CheckResult(name="count", outcome="passed", score=reward, log="ok"),)
        made: dict[str, Any] = {
            "task_id": task,
            "attempt": number,
            "teacher": "oracle",
            "stop": "submitted",
            "verdict": None if reward is None else Verdict(reward=reward, checks=checks),
            "usage": Usage(prompt_tokens=7, completion_tokens=3),
            **(_tools() if dialect == "tools" else _text()),
            **more,
        }
        return Trajectory(**made), _task(task)

    return make
