"""Chat messages in the OpenAI shape, with tool arguments as objects, as chat templates want them."""

from __future__ import annotations

from typing import Any, Literal

from datafactory.types.record import Record

Finish = Literal["stop", "tool_calls", "length", "context", "filtered"]
"""Why a model stopped. `length`: its answer reached `max_tokens`; `context`: the conversation, with or without an
answer, fills the model's context; `filtered`: the server held the answer back."""

MALFORMED = "__malformed__"
"""The one key of a tool call's arguments where the model sent no JSON object; its value is the text that it sent."""


class Logprobs(Record):
    """Natural logarithms of the probabilities of an answer's tokens, in their order; distillation learns from them."""

    tokens: tuple[str, ...]
    ids: tuple[int, ...] = ()
    """Token ids in the model's vocabulary; empty where the server does not say them."""
    chosen: tuple[float, ...]
    """Of the token that was said."""
    top: tuple[dict[str, float], ...] = ()
    """For each place, the most likely tokens and theirs; empty where none were asked for."""


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
    logprobs: Logprobs | None = None
    """Of an assistant message, where the teacher was asked for them."""

    def wire(self, *, arguments_as_text: bool = False) -> dict[str, Any]:
        """The OpenAI object; keys without a value are left out, and `fault` and `logprobs` are ours alone."""
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
    """Why the model stopped."""
    stopped_by: str = ""
    """The stop string or token that ended it, where the server says so and it is not the model's own."""
    usage: Usage = Usage()
    model: str = ""
    """The model that answered, as it names itself."""
    seconds: float | None = None
    """What the model took once the request was sent: no waiting for a place, for a server to come up, or for another
    try; None: nobody told the two apart."""

    @property
    def cut(self) -> bool:
        """Whether something of the answer is missing."""
        return self.finish in ("length", "context", "filtered")
