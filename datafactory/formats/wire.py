"""Messages with tool arguments as JSON text: what readers that infer a schema from rows can take."""

from __future__ import annotations

from typing import Any

from datafactory.types import MALFORMED, Message, ToolCall


def wire(message: Message) -> dict[str, Any]:
    """The message as it goes over the wire; arguments that were no JSON object are the text that they were."""
    made = message.wire(arguments_as_text=True)
    if message.tool_calls:
        made["tool_calls"] = [_call(call) for call in message.tool_calls]
    return made


def _call(call: ToolCall) -> dict[str, Any]:
    made = call.wire(arguments_as_text=True)
    if call.arguments.keys() == {MALFORMED}:
        made["function"]["arguments"] = str(call.arguments[MALFORMED])
    return made
