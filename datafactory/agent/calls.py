"""Native tool calls: each is checked against the schemas on offer, and those that hold are carried out in order."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from datafactory.agent.dialect import Turn
from datafactory.types import MALFORMED, Message, Reply, ToolCall

_KINDS: dict[str, tuple[str, tuple[type[Any], ...]]] = {
    "string": ("a string", (str,)),
    "integer": ("a whole number", (int,)),
    "number": ("a number", (int, float)),
    "array": ("a list", (list, tuple)),
    "boolean": ("true or false", (bool,)),
}


def problem_of(call: ToolCall, tools: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with a call, by the schemas of the tools on offer (types string, integer, number, boolean and
    array; `enum`, `items`, `exclusiveMinimum`, `required`; null stands for left out; a tool without arguments takes
    any). Empty: nothing."""
    if MALFORMED in call.arguments:
        return f"the arguments of `{call.name}` were no JSON object"
    offered = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}
    if call.name not in offered:
        return f"there is no tool `{call.name}`"
    schema = offered[call.name]
    known = schema["properties"]
    for name in schema.get("required", ()):
        if not _fits(call.arguments.get(name), known[name]):
            return f"`{call.name}` needs a `{name}`, which is {_kind(known[name])}"
    for name, value in call.arguments.items():
        if name in known and value is not None and not _fits(value, known[name]):
            return f"`{name}` must be {_kind(known[name])}"
    unknown = sorted(set(call.arguments) - set(known)) if known else []
    return f"`{call.name}` has no argument {', '.join(f'`{name}`' for name in unknown)}" if unknown else ""


async def carry_out(
    reply: Reply,
    *,
    tools: Sequence[Mapping[str, Any]],
    ends: str,
    run: Callable[[ToolCall, float], Awaitable[str]],
    fault: Callable[[str], str],
    silent: Callable[[], str],
    left: float,
) -> Turn:
    """The turn that `reply` makes. `run` gives the result of a call, which may take so many seconds of the `left`;
    the tool `ends` ends the attempt after the calls before it; `fault` words what is wrong with a call, and `silent`
    that there was none. Raises SandboxError."""
    message = reply.message
    if not message.tool_calls:
        seen = (Message(role="user", content=silent()),)
        return Turn(message.but(fault="no tool was called"), seen, unreadable=True)
    problems = [problem_of(call, tools) for call in message.tool_calls]
    if any(problems):
        message = message.but(fault="; ".join(filter(None, problems)))
    if reply.cut and all(problems):
        return Turn(message, unreadable=True)
    answers: list[Message] = []
    until = time.monotonic() + left
    for call, problem in zip(message.tool_calls, problems, strict=True):
        if call.name == ends and not problem:
            return Turn(message, tuple(answers), submitted=True)
        said = fault(problem) if problem else await run(call, max(0.5, until - time.monotonic()))
        answers.append(Message(role="tool", content=said, tool_call_id=call.id, name=call.name))
    return Turn(message, tuple(answers))


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    if isinstance(value, bool) != (schema["type"] == "boolean") or not any(
        isinstance(value, kind) for kind in _KINDS[schema["type"]][1]
    ):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "exclusiveMinimum" in schema and not value > schema["exclusiveMinimum"]:
        return False
    return "items" not in schema or all(_fits(item, schema["items"]) for item in list(value))


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(f'"{value}"' for value in schema["enum"])
    said = _KINDS[schema["type"]][0]
    if "exclusiveMinimum" in schema:
        return f"{said} above {schema['exclusiveMinimum']}"
    return f"{said} of which each is {_kind(schema['items'])}" if "items" in schema else said
