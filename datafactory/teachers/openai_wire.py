"""Requests and answers of a chat-completions server, to and from our messages. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from datafactory.agent import MALFORMED
from datafactory.errors import TeacherError
from datafactory.protocols import Episode
from datafactory.teachers.openai_refusal import Again
from datafactory.types import Finish, Logprobs, Message, Reply, ToolCall, Usage

if TYPE_CHECKING:
    from datafactory.teachers.openai_fields import Asking

_FINISH: dict[str, Finish] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "max_tokens": "length",
    "repetition": "length",
    "model_length": "context",
    "model_context_window_exceeded": "context",
    "content_filter": "filtered",
    "safety": "filtered",
    "refusal": "filtered",
}
"""What servers call it: OpenAI, vLLM (`repetition`: it cut an answer that went in circles), Mistral (`model_length`),
and bridges to Anthropic and Google. A word that is not here is a stop."""
_UNFINISHED = frozenset({"error", "abort", "insufficient_system_resource"})
"""The server broke off: no answer (OpenRouter, vLLM, DeepSeek)."""
FLOOR = -9999.0
"""What OpenAI and vLLM write for a probability of nothing; JSON has no infinity."""
_TOKEN_ID = "token_id:"
"""How vLLM begins a token that is told by its id (`return_tokens_as_token_ids`)."""
_MOST_TOKENS = 1 << 40
"""Of one answer: more is a server's mistake, and more than a ledger can add up."""
_DEEPEST = 64
"""Values within values in a call's arguments; records are read back to a depth of about 200."""


def body(
    spec: Asking,
    messages: Sequence[Message],
    tools: Sequence[Mapping[str, Any]],
    schema: Mapping[str, Any] | None,
    episode: Episode | None,
) -> bytes:
    """The request as JSON. The messages come first and each is written in one way, whatever follows it: the text of a
    turn's messages begins with that of the turn before, and a prefix cache holds."""
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
        said["seed"] = episode.mixed(spec.seed)
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
    """Our reply from a decoded answer. Raises TeacherError where it is no chat completion, or an unfinished one."""
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        ended = choice.get("finish_reason") or "stop"
        if ended in _UNFINISHED:
            raise Again(f"the server broke off its answer ({ended}): {str(choice.get('error') or '')[:300]}")
        said = Message(
            role="assistant",
            content=_content(message.get("content")),
            reasoning_content=message.get("reasoning_content") or message.get("reasoning") or None,
            tool_calls=tuple(_call(call, index) for index, call in enumerate(message.get("tool_calls") or ())),
            logprobs=_logprobs(choice),
        )
        by = choice.get("stop_reason")
        return Reply(
            message=said,
            finish=_FINISH.get(str(ended).lower(), "stop"),
            stopped_by="" if by is None else str(by),
            usage=_usage(answer.get("usage")),
            model=str(answer.get("model") or ""),
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise TeacherError(f"the server's answer is no chat completion ({error!r}): {str(answer)[:300]}") from error


def complete(spec: Asking, reply: Reply) -> Reply:
    """The reply, which has what was asked for. Raises TeacherError where log-probabilities are missing."""
    said = reply.message
    if spec.logprobs and said.logprobs is None and (said.content or said.tool_calls or said.reasoning_content):
        raise TeacherError(
            f"asked for log-probabilities, and the server sent none with its answer; leave out `logprobs`, or ask "
            f"{spec.model!r} of a server that has them"
        )
    return reply


def _logprobs(choice: Mapping[str, Any]) -> Logprobs | None:
    """Of a choice's tokens, in their order; None: the server sent none."""
    places = (choice.get("logprobs") or {}).get("content")
    if not places:
        return None
    tokens = [place["token"] for place in places]
    ids = choice.get("token_ids") or ()
    if not ids and all(token.startswith(_TOKEN_ID) for token in tokens):
        ids = [int(token.removeprefix(_TOKEN_ID)) for token in tokens]
    if ids and len(ids) != len(tokens):
        raise ValueError(f"{len(ids)} token ids for {len(tokens)} log-probabilities")
    tops = tuple(_top(place.get("top_logprobs") or ()) for place in places)
    return Logprobs(
        tokens=tuple(tokens),
        ids=tuple(ids),
        chosen=tuple(log_probability(place["logprob"]) for place in places),
        top=tops if any(tops) else (),
    )


def _top(said: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The likeliest first. Two ids may read alike (parts of a character): of those, the likelier is kept."""
    made: dict[str, float] = {}
    for token in said:
        made.setdefault(token["token"], log_probability(token["logprob"]))
    return made


def log_probability(value: Any) -> float:
    """A log-probability that can be filed. Raises TypeError, ValueError for what is no number."""
    number = float(value)
    return max(number, FLOOR) if math.isfinite(number) else FLOOR


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
        prompt_tokens=_tokens(usage.get("prompt_tokens")),
        completion_tokens=_tokens(usage.get("completion_tokens")),
        cached_tokens=_tokens(details.get("cached_tokens")),
    )


def _tokens(count: Any) -> Any:
    """A count; 0 for what is none, such as -1 or NaN: an answer is not lost, nor a sum spoilt, for a wrong number."""
    return 0 if isinstance(count, int | float) and not 0 <= count <= _MOST_TOKENS else count or 0
