"""The oracle's turns in the words of a dialect."""

from __future__ import annotations

import json
from typing import Any

from datafactory.teachers.oracle.plan import SLOW, Act, Beat
from datafactory.types import Message, Reply, ToolCall

MODEL = "oracle"
"""What a reply names as its model: none."""

_USUAL = 60.0
"""Seconds that a call of a shell has where it names none."""


def spoken(beat: Beat, agent: str, turn: int) -> Reply:
    """The turn as a reply; `turn`: how many came before it."""
    if agent == "terminus-2":
        return _terminus(beat)
    return _openhands(beat, turn) if agent == "openhands" else _tools(beat, turn)


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
    calls: list[tuple[str, dict[str, Any]]] = [("bash", {"command": act.command} | _limit(act)) for act in beat.acts]
    if beat.kind == "done":
        calls = [("submit", {})]
    return _called(f"{beat.analysis} {beat.plan}", calls, turn)


def _openhands(beat: Beat, turn: int) -> Reply:
    """One call a turn, as SWE-ZERO's filter of tool-call cardinality wants it (arXiv 2604.01496, section 2)."""
    if beat.kind == "think":
        return _called("", [("think", {"thought": beat.analysis})], turn)
    said = f"{beat.analysis} {beat.plan}"
    if beat.kind == "done":
        return _called(said, [("finish", {"message": beat.report or beat.analysis})], turn)
    if len(beat.acts) == 1 and beat.acts[0].editor is not None:
        return _called(said, [("str_replace_editor", dict(beat.acts[0].editor))], turn)
    command = "\n".join(act.command for act in beat.acts)
    slowest = max(beat.acts, key=lambda act: act.seconds)
    return _called(said, [("execute_bash", {"command": command} | _limit(slowest))], turn)


def _limit(act: Act) -> dict[str, Any]:
    """How long a call may take, where that is not the usual."""
    if act.limit is not None:
        return {"timeout": act.limit}
    return {"timeout": _USUAL * 2} if act.seconds >= SLOW else {}


def _called(content: str, calls: list[tuple[str, dict[str, Any]]], turn: int) -> Reply:
    message = Message(
        role="assistant",
        content=content,
        tool_calls=tuple(
            ToolCall(id=f"call_{turn}_{index}", name=name, arguments=arguments)
            for index, (name, arguments) in enumerate(calls)
        ),
    )
    return Reply(message=message, finish="tool_calls", model=MODEL)
