"""The oracle's turns in the words of a dialect."""

from __future__ import annotations

import json
from typing import Any

from datafactory.teachers.oracle.plan import SLOW, Beat
from datafactory.types import Message, Reply, ToolCall

MODEL = "oracle"
"""What a reply names as its model: none."""

_USUAL = 60.0
"""Seconds that a `bash` call has where it names none."""


def spoken(beat: Beat, agent: str, turn: int) -> Reply:
    """The turn as a reply; `turn`: how many came before it."""
    return _terminus(beat) if agent == "terminus-2" else _tools(beat, turn)


def _terminus(beat: Beat) -> Reply:
    said = {
        "analysis": beat.analysis,
        "plan": beat.plan,
        "commands": [
            {"keystrokes": f"{act.command}\n" if act.command else "", "duration": act.seconds} for act in beat.acts
        ],
        "task_complete": beat.kind == "done",
    }
    content = json.dumps(said, ensure_ascii=False, indent=2)
    return Reply(message=Message(role="assistant", content=content), model=MODEL)


def _tools(beat: Beat, turn: int) -> Reply:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("bash", {"command": act.command} | ({"timeout": _USUAL * 2} if act.seconds >= SLOW else {}))
        for act in beat.acts
    ]
    if beat.kind == "done":
        calls = [("submit", {})]
    message = Message(
        role="assistant",
        content=f"{beat.analysis} {beat.plan}",
        tool_calls=tuple(
            ToolCall(id=f"call_{turn}_{index}", name=name, arguments=arguments)
            for index, (name, arguments) in enumerate(calls)
        ),
    )
    return Reply(message=message, finish="tool_calls", model=MODEL)
