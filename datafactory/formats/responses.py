"""Conversations as items of OpenAI's Responses API, as NeMo-Gym's rows hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from datafactory.formats.wire import wire
from datafactory.types import Message


def items(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The `input` of a request: messages of role and content, `reasoning`, `function_call` and
    `function_call_output`."""
    return [item for number, message in enumerate(messages) for item in _items(message, number)]


def function(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A tool of the OpenAI chat shape in that of responses, which is flat."""
    return {"type": "function", **tool["function"], "strict": False}


def call(name: str, arguments: str, call_id: str) -> dict[str, Any]:
    """A call of a tool; `arguments`: JSON text, or what the model sent in its place."""
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def _items(message: Message, number: int) -> Iterator[dict[str, Any]]:
    if message.role == "tool":
        yield {"type": "function_call_output", "call_id": message.tool_call_id or "", "output": message.content}
        return
    if message.reasoning_content:
        thought = [{"type": "summary_text", "text": message.reasoning_content}]
        yield {"type": "reasoning", "id": f"rs_{number}", "summary": thought}
    if message.content or not message.tool_calls:
        yield {"role": message.role, "content": message.content}
    for made in wire(message).get("tool_calls", ()):
        yield call(made["function"]["name"], made["function"]["arguments"], made["id"])
