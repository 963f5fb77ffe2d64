"""Requests and answers of a chat-completions server, to and from our messages. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from datafactory.agent import MALFORMED
from datafactory.errors import TeacherError
from datafactory.protocols import Episode
from datafactory.types import Finish, Message, Reply, ToolCall, Usage

if TYPE_CHECKING:
    from datafactory.teachers.openai import OpenAITeacher

_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    # The answer was left out or cut by a filter of the server's: for us it is cut off.
    "content_filter": "length",
}
_FULL = (
    "context length",
    "context window",
    "context_length",
    "maximum model length",
    "prompt is too long",
    "max_model_len",
)
"""What servers say of a prompt that does not fit (OpenAI, vLLM, SGLang, llama.cpp, Anthropic's bridge)."""
_DEEPEST = 64
"""Values within values in a call's arguments; records are read back to a depth of about 200."""


def body(
    spec: OpenAITeacher,
    messages: Sequence[Message],
    tools: Sequence[Mapping[str, Any]],
    schema: Mapping[str, Any] | None,
    episode: Episode | None,
) -> bytes:
    """The request as JSON."""
    said: dict[str, Any] = {
        "model": spec.model,
        "messages": [_wire(message, spec.keep_reasoning) for message in messages],
        **spec.sampling(),
    }
    if tools:
        said["tools"] = list(tools)
    else:
        said.pop("tool_choice", None)
    if spec.seed is not None and episode is not None:
        said["seed"] = (spec.seed * 1_000_003 + episode.seed) & 0x7FFF_FFFF
    if schema is not None:
        form = {"name": "answer", "schema": dict(schema), "strict": True}
        said["response_format"] = {"type": "json_schema", "json_schema": form}
    try:
        return orjson.dumps(said)
    except orjson.JSONEncodeError:
        # Half a surrogate pair, which JSON text may hold and UTF-8 may not.
        return json.dumps(said).encode()


def _wire(message: Message, keep_reasoning: bool) -> dict[str, Any]:
    if not message.tool_calls and not message.reasoning_content and message.role != "tool":
        return {"role": message.role, "content": message.content}
    made = message.wire(arguments_as_text=True)
    if not keep_reasoning:
        made.pop("reasoning_content", None)
    return made


def decoded(answer: bytes) -> Any:
    """The JSON of an answer, read as leniently as servers write it: half a surrogate pair, NaN. Raises ValueError."""
    try:
        return orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        try:
            return json.loads(answer)
        except RecursionError:
            raise error from None


def reply(answer: Mapping[str, Any]) -> Reply:
    """Our reply from a decoded answer. Raises TeacherError where it is no chat completion."""
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        said = Message(
            role="assistant",
            content=_content(message.get("content")),
            reasoning_content=message.get("reasoning_content") or message.get("reasoning") or None,
            tool_calls=tuple(_call(call, index) for index, call in enumerate(message.get("tool_calls") or ())),
        )
        finish = _FINISH.get(choice.get("finish_reason") or "stop", "stop")
        return Reply(
            message=said, finish=finish, usage=_usage(answer.get("usage")), model=str(answer.get("model") or "")
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise TeacherError(f"the server's answer is no chat completion ({error!r}): {str(answer)[:300]}") from error


def _content(content: Any) -> str:
    """The text of a content that may be null, text, or a list of parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _call(call: Mapping[str, Any], index: int) -> ToolCall:
    function = call["function"]
    return ToolCall(
        id=call.get("id") or f"call_{index}", name=function["name"], arguments=_arguments(function.get("arguments"))
    )


def _arguments(text: Any) -> dict[str, Any]:
    """The arguments as an object; what is none comes under the one key `MALFORMED`, for the dialect to complain of."""
    if isinstance(text, str):
        try:
            made = orjson.loads(text) if text.strip() else {}
        except orjson.JSONDecodeError:
            made = None
    else:
        made = {} if text is None else text
    if isinstance(made, dict) and _shallow(made, _DEEPEST):
        return made
    return {MALFORMED: text if isinstance(text, str) else str(text)}


def _shallow(value: Any, left: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left > 0 and all(_shallow(item, left - 1) for item in inner)


def _usage(usage: Mapping[str, Any] | None) -> Usage:
    if not usage:
        return Usage()
    details = usage.get("prompt_tokens_details") or {}
    return Usage(
        prompt_tokens=usage.get("prompt_tokens") or 0,
        completion_tokens=usage.get("completion_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or 0,
    )


def context_full(status: int, text: str) -> bool:
    """Whether a refusal says that the conversation does not fit into the model's context."""
    return status in (400, 413, 422) and any(sign in text.lower() for sign in _FULL)


def unknown_model(status: int, text: str, model: str) -> bool:
    """Whether a refusal says that the server has no such model."""
    low = text.lower()
    return status in (400, 404) and (model.lower() in low or "model_not_found" in low) and "model" in low
