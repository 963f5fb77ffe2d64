"""A teacher that replays answers: written in the pipeline file, kept in a file, or taken from an earlier run."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError, model_validator

from datafactory.errors import DataError, TeacherError
from datafactory.protocols import Chat, Episode
from datafactory.spec import Spec
from datafactory.types import Message, Reply, ToolCall, digest_of

Answer = str | dict[str, Any]
"""A text, or a `Message` without its role, with `finish` and `usage` as in `Reply` where they matter."""


class ScriptedTeacher(Spec):
    """Gives the answers that it was given, in their order; running out of them is an error."""

    use_name: ClassVar[str] = "scripted"
    paid: ClassVar[bool] = False

    replies: tuple[Answer, ...] = ()
    """The answers to every episode: a text each, or an object with `content`, `tool_calls`, `finish`, `usage`."""
    path: str | None = None
    """A JSONL file. A row has `replies`, or the `messages` of a conversation whose assistant turns are replayed; and
    `episode`, or `task_id` and `attempt` as in a run's trajectories. A row with none of these is for every episode."""

    @model_validator(mode="after")
    def _one_source(self) -> ScriptedTeacher:
        if bool(self.replies) == (self.path is not None):
            raise ValueError("needs either `replies` or `path`")
        for index, answer in enumerate(self.replies):
            try:
                _reply(answer)
            except (ValidationError, TypeError) as error:
                raise ValueError(f"replies[{index}]: {error}") from error
        return self

    @property
    def name(self) -> str:
        """As recorded in trajectories."""
        return "scripted"

    def sampling(self) -> dict[str, Any]:
        """Digest of the answers in the pipeline file, or the name of the file."""
        return {"path": self.path} if self.path else {"replies": digest_of(list(self.replies))}

    def open(self) -> AbstractAsyncContextManager[Chat]:
        """Read the file, if there is one. Raises DataError with its name and line."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Chat]:
        if self.path is None:
            yield ScriptedChat({"": tuple(_reply(answer) for answer in self.replies)})
        else:
            yield ScriptedChat(_read(Path(self.path)))


class ScriptedChat:
    """An agent's episode is answered by how often it spoke so far, so that a resumed run goes on where it was;
    other requests get one answer after the other."""

    def __init__(self, scripts: Mapping[str, tuple[Reply, ...]]) -> None:
        self._scripts = scripts
        self._given: dict[str, int] = {}

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """The next answer. Raises TeacherError where there is none."""
        key = episode.id if episode is not None and episode.id in self._scripts else ""
        script = self._scripts.get(key)
        who = f"episode {episode.id!r}" if episode is not None else "a request without an episode"
        if script is None:
            raise TeacherError(f"scripted: there are no replies for {who}")
        if episode is not None and episode.agent:
            index = sum(message.role == "assistant" for message in messages)
        else:
            index = self._given.get(key, 0)
            self._given[key] = index + 1
        if index >= len(script):
            raise TeacherError(
                f"scripted: ran out of replies for {who}: reply {index + 1} was asked, {len(script)} exist"
            )
        return script[index]


def _read(path: Path) -> dict[str, tuple[Reply, ...]]:
    scripts: dict[str, tuple[Reply, ...]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"scripted: {path}: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            key, script = _row(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"scripted: {path}:{number}: {error}") from error
        if key in scripts:
            raise DataError(
                f"scripted: {path}:{number}: a second row for {f'episode {key!r}' if key else 'every episode'}"
            )
        scripts[key] = script
    if not scripts:
        raise DataError(f"scripted: {path}: no rows")
    return scripts


def _row(row: dict[str, Any]) -> tuple[str, tuple[Reply, ...]]:
    if "replies" in row:
        answers = row["replies"]
    elif "messages" in row:
        answers = [message for message in row["messages"] if message.get("role") == "assistant"]
    else:
        raise ValueError("a row needs `replies` or `messages`")
    key = row.get("episode") or (f"{row['task_id']}/{row.get('attempt', 0)}" if "task_id" in row else "")
    return str(key), tuple(_reply(answer) for answer in answers)


def _reply(answer: Answer) -> Reply:
    if isinstance(answer, str):
        return Reply(message=Message(role="assistant", content=answer), model="scripted")
    fields = {key: value for key, value in answer.items() if key not in ("role", "fault", "finish", "usage")}
    calls = tuple(_call(call, index) for index, call in enumerate(fields.pop("tool_calls", None) or ()))
    outer = {key: answer[key] for key in ("finish", "usage") if key in answer}
    if calls:
        outer.setdefault("finish", "tool_calls")
    message = Message.model_validate({"role": "assistant", **fields, "tool_calls": calls})
    return Reply.model_validate({"message": message, "model": "scripted", **outer})


def _call(call: dict[str, Any], index: int) -> ToolCall:
    """Ours (`name`, `arguments`) or OpenAI's (`function`)."""
    inner = call.get("function", call)
    arguments = inner.get("arguments") or {}
    if isinstance(arguments, str):
        arguments = json.loads(arguments)
    return ToolCall(id=call.get("id") or f"call_{index}", name=inner["name"], arguments=arguments)
