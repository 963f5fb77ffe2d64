"""What a judge is asked about two turns that nothing else could show to do the same, and how its answer is read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import jinja2
from pydantic import BaseModel, ConfigDict, ValidationError

from datafactory.judging.evidence import Shown, fenced
from datafactory.judging.transcript import clipped, transcript
from datafactory.types import Message, Reply, Task


class Word(BaseModel):
    """What a judge is to answer."""

    model_config = ConfigDict(extra="forbid")

    reasoning: str
    same: bool


SCHEMA = Word.model_json_schema()
"""Of `Word`."""


def question(
    task: Task, history: Sequence[Message], expected: Message, said: Message, *, seen: str, room: int, seed: int
) -> str:
    """The prompt for a judge. `seen`: how the outcomes differ, where both turns were carried out; `room`: characters of
    the history, and of the prompt and both turns together."""

    def make(code: str) -> list[Shown]:
        parts = [Shown("task", clipped(task.prompt, room // 2))]
        if any(message.role == "assistant" for message in history):
            parts.append(Shown("history", transcript(history, code=code, limit=room, each=room // 8)))
        parts += [Shown("step A", _step(expected, room // 4)), Shown("step B", _step(said, room // 4))]
        return [*parts, Shown("what came of A, and of B", clipped(seen, room // 4))] if seen else parts

    code, parts = fenced(make, seed)
    return _frame().render(code=code, parts=parts)


def read_word(reply: Reply) -> Word | None:
    """A judge's word; None: nothing that can be read."""
    text = reply.message.content.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text.removeprefix("```").removesuffix("```").removeprefix("json")
    try:
        return None if reply.cut else Word.model_validate_json(text)
    except ValidationError:
        return None


def _step(message: Message, room: int) -> str:
    calls = [f"call {call.name}: {json.dumps(call.arguments, ensure_ascii=False)}" for call in message.tool_calls]
    return clipped("\n".join(filter(None, [message.content, *calls])) or "(nothing)", room)


@cache
def _frame() -> jinja2.Template:
    text = (files("datafactory.pivots") / "prompts" / "equivalent.md").read_text(encoding="utf-8")
    return jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(text)
