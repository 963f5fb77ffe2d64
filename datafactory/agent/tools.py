"""The native dialect: the model calls `bash` and `submit` as tools, and reads exit codes and output."""

from __future__ import annotations

import time
from typing import Any

from datafactory.agent.clip import clip
from datafactory.agent.dialect import MALFORMED, Turn
from datafactory.agent.prompting import prompt
from datafactory.protocols import Box, ExecResult
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
        return (
            Message(role="system", content=prompt("tools_system")),
            Message(
                role="user",
                content=prompt("tools_user", instruction=self._task.prompt.strip(), workdir=self._task.workdir),
            ),
        )

    async def take(self, reply: Reply, *, seconds: float, left: float) -> Turn:
        """Carry out the calls in order; a `submit` ends the attempt after the calls before it."""
        message = reply.message
        if not message.tool_calls:
            problem = "no tool was called"
            seen = (Message(role="user", content=prompt("tools_no_call")),)
            return Turn(message.but(fault=problem), seen, unreadable=True)
        faults = [problem for call in message.tool_calls if (problem := _problem(call))]
        if faults:
            message = message.but(fault="; ".join(faults))
        if reply.cut and len(faults) == len(message.tool_calls):
            return Turn(message, unreadable=True)
        answers: list[Message] = []
        until = time.monotonic() + left
        for call in message.tool_calls:
            if problem := _problem(call):
                answers.append(_answer(call, prompt("tools_fault", problem=problem)))
            elif call.name == "submit":
                return Turn(message, tuple(answers), submitted=True)
            else:
                answers.append(_answer(call, await self._run(call, min(seconds, max(0.5, until - time.monotonic())))))
        return Turn(message, tuple(answers))

    async def _run(self, call: ToolCall, seconds: float) -> str:
        limit = min(float(call.arguments.get("timeout") or USUAL), LONGEST, seconds)
        command = str(call.arguments["command"]).replace("\0", "").encode(errors="replace").decode()
        result = await self._box.exec(command, timeout=limit)
        return prompt(
            "tools_result",
            timed_out=result.timed_out,
            seconds=f"{limit:g}",
            exit_code=result.exit_code,
            output=_output(result),
        )


def _output(result: ExecResult) -> str:
    text = result.output.rstrip("\n")
    return clip(text, missing=result.dropped) if text else "(no output)"


def _problem(call: ToolCall) -> str:
    """What is wrong with a call; empty: nothing."""
    if MALFORMED in call.arguments:
        return f"the arguments of `{call.name}` were no JSON object"
    if call.name == "submit":
        return ""
    if call.name != "bash":
        return f"there is no tool `{call.name}`"
    if not isinstance(call.arguments.get("command"), str):
        return "`bash` needs a `command`, which is a string"
    timeout = call.arguments.get("timeout")
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0):
        return "`timeout` must be a positive number of seconds"
    unknown = sorted(set(call.arguments) - {"command", "timeout"})
    return f"`bash` has no argument {', '.join(f'`{name}`' for name in unknown)}" if unknown else ""


def _answer(call: ToolCall, content: str) -> Message:
    return Message(role="tool", content=content, tool_call_id=call.id, name=call.name)
