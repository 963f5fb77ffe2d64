"""The native dialect: the model calls `bash` and `submit` as tools, and reads exit codes and output."""

from __future__ import annotations

from typing import Any

from datafactory.agent.calls import carry_out
from datafactory.agent.clip import clip
from datafactory.agent.dialect import Turn
from datafactory.agent.prompting import prompt
from datafactory.protocols import Box, ExecResult, Guarded
from datafactory.types import Message, Reply, Task, ToolCall

USUAL, LONGEST = 60.0, 600.0
"""Seconds that a command may take where the call names none, and at most."""

BASH: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "bash",
        "description": "Run a command, or several lines, in the persistent bash shell; gives exit code and output.",
        "parameters": {
            "type": "object",
            "properties": {
                "command": {"type": "string", "description": "What to run."},
                "timeout": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "description": f"Seconds after which it is killed; {USUAL:.0f} if left out, {LONGEST:.0f} at most.",
                },
            },
            "required": ["command"],
        },
    },
}
SUBMIT: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "submit",
        "description": "Hand the work in as it is now; nothing can be changed afterwards.",
        "parameters": {"type": "object", "properties": {}},
    },
}


class Tools:
    """One attempt with native tool calls; a call that cannot be understood is answered with what is wrong in it."""

    tools: tuple[dict[str, Any], ...] = (BASH, SUBMIT)

    def __init__(self, task: Task, box: Box) -> None:
        self._task = task
        self._box = box

    async def opening(self) -> tuple[Message, ...]:
        """The system message, and the task."""
        told = opened("tools_user", self._task, self._box)
        return Message(role="system", content=prompt("tools_system")), Message(role="user", content=told)

    async def take(self, reply: Reply, *, seconds: float, left: float) -> Turn:
        """Carry out the calls in order; a `submit` ends the attempt after the calls before it."""

        async def run(call: ToolCall, left: float) -> str:
            return await run_line(self._box, "tools_result", call, min(seconds, left))

        return await carry_out(
            reply,
            tools=self.tools,
            ends="submit",
            run=run,
            fault=lambda problem: prompt("tools_fault", problem=problem),
            silent=lambda: prompt("tools_no_call"),
            left=left,
        )


def opened(words: str, task: Task, box: Box) -> str:
    """The task put in the prompt file `words`, with what the box forbids, where it does."""
    return prompt(words, instruction=task.prompt.strip(), workdir=task.workdir, executes=not isinstance(box, Guarded))


async def run_line(box: Box, words: str, call: ToolCall, seconds: float) -> str:
    """The result of a call's `command`, put in the prompt file `words`; it takes `seconds` at most, or the call's
    `timeout`. Raises SandboxError."""
    limit = min(float(call.arguments.get("timeout") or USUAL), LONGEST, seconds)
    command = str(call.arguments["command"]).replace("\0", "").encode(errors="replace").decode()
    result = await box.exec(command, timeout=limit)
    return prompt(
        words,
        timed_out=result.timed_out,
        seconds=f"{limit:g}",
        exit_code=result.exit_code,
        output=_output(result),
    )


def _output(result: ExecResult) -> str:
    text = result.output.rstrip("\n")
    return clip(text, missing=result.dropped) if text else "(no output)"
