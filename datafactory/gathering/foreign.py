"""Conversations of other data sets as rows of ours: what a row does not say is counted, or left empty."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from pydantic import ValidationError

from datafactory.errors import DataError
from datafactory.table.rows import content_hash, n_chars
from datafactory.types import Message, ToolCall, digest_of
from datafactory.types.messages import MALFORMED

CONVERSATIONS = ("messages", "conversations", "trajectory")
"""Columns in which a conversation is looked for."""
TASKS = ("task_id", "instance_id", "task")
"""Columns that name the task."""
TEXTS = ("domain", "difficulty", "generator", "teacher", "agent", "model", "license", "repo", "instance_id", "stop")
"""Columns of ours that are taken as they are where they hold text."""
ROLES = {"human": "user", "gpt": "assistant", "function": "tool", "observation": "tool", "developer": "system"}
"""Other words for roles."""


class Foreigners:
    """Makes rows of one source; attempts at a task are counted as they come."""

    def __init__(self) -> None:
        self._attempts: Counter[str] = Counter()

    def row(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A row of ours, without the columns that nobody can know. Raises DataError that says what cannot be read."""
        messages = conversation(given)
        instruction = next((message.content for message in messages if message.role == "user"), "")
        task = next((t for t in (given.get(name) for name in TASKS) if _is_name(t)), None)
        task_id = task or digest_of([instruction or [m.content for m in messages[:1]]], length=16)
        attempt = self._attempts[task_id]
        self._attempts[task_id] += 1
        reward = _reward(given)
        return {
            **{name: given[name] if isinstance(given.get(name), str) else "" for name in TEXTS if name != "stop"},
            "id": f"{task_id}/{attempt}",
            "task_id": task_id,
            "attempt": attempt,
            "instruction": instruction,
            "messages": [message.wire() for message in messages],
            "tools": _listed(given.get("tools"), "tools"),
            "train_turns": _train_turns(given.get("train_turns"), messages),
            "stop": given["stop"] if isinstance(given.get("stop"), str) else None,
            "reward": reward,
            "solved": None if reward is None else reward == 1.0,
            "resolved": -1 if reward is None else int(reward == 1.0),
            "n_turns": sum(message.role == "assistant" for message in messages),
            "n_messages": len(messages),
            "n_faults": 0,
            "n_chars": n_chars(messages),
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "content_hash": content_hash(messages),
        }


def conversation(given: Mapping[str, Any]) -> tuple[Message, ...]:
    """The messages of a row, in the shapes of OpenAI or ShareGPT, as objects or JSON text. Raises DataError."""
    name = next((name for name in CONVERSATIONS if given.get(name) is not None), None)
    if name is None:
        raise DataError(f"no conversation: none of the columns {', '.join(CONVERSATIONS)}")
    found = _listed(given[name], name)
    if not found:
        raise DataError(f"{name}: empty")
    return tuple(_message(said, f"{name}[{place}]") for place, said in enumerate(found))


def _message(said: Any, place: str) -> Message:
    if not isinstance(said, Mapping):
        raise DataError(f"{place}: not an object")
    role = said.get("role", said.get("from"))
    content = said.get("content", said.get("value"))
    try:
        return Message(
            role=cast(Any, ROLES.get(role, role) if isinstance(role, str) else role),
            content=_text(content, place),
            reasoning_content=said.get("reasoning_content"),
            tool_calls=tuple(_call(call, f"{place}.tool_calls[{at}]") for at, call in enumerate(_calls(said, place))),
            tool_call_id=said.get("tool_call_id"),
            name=said.get("name"),
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{place}.{where}: {first['msg']} (it is {str(first['input'])[:60]!r})") from error


def _calls(said: Mapping[str, Any], place: str) -> list[Any]:
    return _listed(said.get("tool_calls"), f"{place}.tool_calls")


def _call(call: Any, place: str) -> ToolCall:
    if not isinstance(call, Mapping):
        raise DataError(f"{place}: not an object")
    function = call.get("function") or call
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            arguments = {MALFORMED: arguments}
    if arguments is not None and not isinstance(arguments, dict):
        arguments = {MALFORMED: json.dumps(arguments)}
    return ToolCall(id=call.get("id") or "", name=cast(Any, function.get("name")), arguments=arguments or {})


def _text(content: Any, place: str) -> str:
    """Content as text: that of its parts, where it has parts of text alone."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list) and all(
        isinstance(part, Mapping) and part.get("text") is not None for part in content
    ):
        return "".join(str(part["text"]) for part in content)
    raise DataError(f"{place}.content: neither text nor parts of text")


def _listed(value: Any, place: str) -> list[Any]:
    if isinstance(value, str):
        value = _decoded(value, place) if value.strip() else []
    if value is None:
        return []
    if not isinstance(value, list):
        raise DataError(f"{place}: not a list")
    return [_decoded(item, place) if isinstance(item, str) else item for item in value]


def _decoded(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise DataError(f"{place}: text that is no JSON: {text[:60]!r}") from error


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and "\n" not in value


def _reward(given: Mapping[str, Any]) -> float | None:
    """What a row says of its success: a `reward` from 0 to 1, else `solved` or `resolved`; None: it says nothing."""
    reward = given.get("reward")
    if isinstance(reward, int | float) and 0 <= reward <= 1:
        return float(reward)
    for name in ("solved", "resolved"):
        if isinstance(value := given.get(name), bool | int) and value in (0, 1):
            return float(value)
    return None


def _train_turns(given: Any, messages: tuple[Message, ...]) -> list[bool]:
    if isinstance(given, list) and len(given) == len(messages) and all(isinstance(turn, bool) for turn in given):
        return given
    return [message.role == "assistant" for message in messages]
