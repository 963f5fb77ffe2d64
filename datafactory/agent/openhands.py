"""The dialect with the tools of OpenHands: a shell, an editor, a place to think, and an end."""

from __future__ import annotations

from typing import Any

from datafactory.agent.calls import carry_out
from datafactory.agent.dialect import Turn
from datafactory.agent.editor import Editor
from datafactory.agent.prompting import prompt
from datafactory.agent.tools import LONGEST, USUAL, opened, run_line
from datafactory.protocols import Box
from datafactory.types import Message, Reply, Task, ToolCall


def _tool(name: str, description: str, properties: dict[str, Any], *required: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


EXECUTE_BASH = _tool(
    "execute_bash",
    prompt("openhands_tool_bash"),
    {
        "command": _text("What to run."),
        "is_input": _text("Always `false`: no command waits for input here.", enum=["true", "false"]),
        "timeout": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": f"Seconds after which it is ended; {USUAL:.0f} if left out, {LONGEST:.0f} at most.",
        },
    },
    "command",
)
STR_REPLACE_EDITOR = _tool(
    "str_replace_editor",
    prompt("openhands_tool_editor"),
    {
        "command": _text("What to do.", enum=["view", "create", "str_replace", "insert", "undo_edit"]),
        "path": _text("Absolute path of a file or, for `view`, a folder."),
        "file_text": _text("For `create`: the content of the file."),
        "old_str": _text("For `str_replace`: the text to replace."),
        "new_str": _text("For `str_replace`: the text instead, none if left out. For `insert`: the lines to put in."),
        "insert_line": {
            "type": "integer",
            "description": "For `insert`: the line after which `new_str` comes; 0: before the first.",
        },
        "view_range": {
            "type": "array",
            "items": {"type": "integer"},
            "description": "For `view` of a file: first and last line, from 1; -1: to the end. Left out: all lines.",
        },
    },
    "command",
    "path",
)
THINK = _tool("think", "Write a thought down; nothing is run.", {"thought": _text("The thought.")}, "thought")
FINISH = _tool(
    "finish",
    "Hand the work in as it is now; nothing can be changed afterwards.",
    {"message": _text("What was done, for whoever asked for it.")},
    "message",
)


class OpenHands:
    """One attempt with the tools of OpenHands (its CodeAct agent's names and parameters; the words are our own)."""

    tools: tuple[dict[str, Any], ...] = (EXECUTE_BASH, STR_REPLACE_EDITOR, THINK, FINISH)

    def __init__(self, task: Task, box: Box) -> None:
        self._task = task
        self._box = box
        self._editor = Editor(box, task.workdir)

    async def opening(self) -> tuple[Message, ...]:
        """The system message, and the task."""
        told = opened("openhands_user", self._task, self._box)
        return Message(role="system", content=prompt("openhands_system")), Message(role="user", content=told)

    async def take(self, reply: Reply, *, seconds: float, left: float) -> Turn:
        """Carry out the calls in order; a `finish` ends the attempt after the calls before it."""

        async def run(call: ToolCall, left: float) -> str:
            return await self._run(call, min(seconds, left))

        return await carry_out(
            reply,
            tools=self.tools,
            ends="finish",
            run=run,
            fault=lambda problem: prompt("openhands_fault", problem=problem),
            silent=lambda: prompt("openhands_no_call"),
            left=left,
        )

    async def _run(self, call: ToolCall, seconds: float) -> str:
        if call.name == "str_replace_editor":
            return await self._editor.run(call.arguments)
        if call.name == "think":
            return prompt("openhands_think")
        if call.arguments.get("is_input") == "true":
            return prompt("openhands_input")
        return await run_line(self._box, "openhands_result", call, seconds)
