"""Chat messages in the OpenAI shape, with tool arguments as objects, as chat templates want them."""

from __future__ import annotations

from typing import Any, Literal

from datafactory.types.record import Record

Finish = Literal["stop", "tool_calls", "length"]


class ToolCall(Record):
    """One call of a tool by the assistant."""

    id: str
    name: str
    arguments: dict[str, Any] = {}

    def wire(self, *, arguments_as_text: bool = False) -> dict[str, Any]:
        """The OpenAI object; the wire wants `arguments` as JSON text, training rows as an object."""
        import json

        shown: Any = json.dumps(self.arguments, ensure_ascii=False) if arguments_as_text else self.arguments
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": shown}}


class Message(Record):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    reasoning_content: str | None = None
    """What a thinking model thought before it answered."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """Of a tool message: the call that it answers."""
    name: str | None = None
    """Of a tool message: the tool."""
    fault: str | None = None
    """Of an assistant message: what made the turn an error (unparsed, unknown tool); for loss masking."""

    def wire(self, *, arguments_as_text: bool = False) -> dict[str, Any]:
        """The OpenAI object; keys without a value are left out, and `fault` is ours alone."""
        made: dict[str, Any] = {"role": self.role, "content": self.content}
        for key in ("reasoning_content", "tool_call_id", "name"):
            if getattr(self, key) is not None:
                made[key] = getattr(self, key)
        if self.tool_calls:
            made["tool_calls"] = [c.wire(arguments_as_text=arguments_as_text) for c in self.tool_calls]
        return made


class Usage(Record):
    """Tokens that a reply cost; a teacher that has no tokens (the oracle) reports zeros."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
        )


class Reply(Record):
    """What a chat gives back for one request."""

    message: Message
    finish: Finish = "stop"
    """Why the model stopped; `length`: the answer was cut off."""
    usage: Usage = Usage()
    model: str = ""
    """The model that answered, as it names itself."""
