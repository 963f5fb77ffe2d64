"""What was said in a conversation, by whom and where, unescaped; and a quick look before the slow one."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson

if TYPE_CHECKING:
    import polars as pl

Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")
_FENCED = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)|`[^`\n]+`", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that somebody said."""

    number: int
    """Of the message, from 1."""
    role: str
    place: str
    """`content`, `reasoning`, `commands` (of a text dialect) or `arguments` (of a tool call)."""
    text: str

    @property
    def where(self) -> str:
        """As a reason says it: `message 4, reasoning`."""
        return f"message {self.number}, {self.place if self.role == 'assistant' else self.role}"


def passages(messages: Sequence[str]) -> Iterator[Passage]:
    """What was said in messages (JSON text each), in order; a message that is no JSON object counts as content of
    nobody (role: empty). An answer that is itself JSON with `commands` is unpacked."""
    for number, text in enumerate(messages, 1):
        message = _loaded(text)
        if not isinstance(message, dict):
            yield Passage(number, "", "content", text)
            continue
        role = str(message.get("role") or "")
        for said in _strings(message.get("reasoning_content")):
            yield Passage(number, role, "reasoning", said)
        for said in _strings(message.get("content")):
            parts = _dialect(said) if role == "assistant" and '"commands"' in said else {}
            for key, value in parts.items():
                for part in _strings(value):
                    yield Passage(number, role, "commands" if key == "commands" else "content", part)
            if not parts:
                yield Passage(number, role, "content", said)
        for call in message.get("tool_calls") or ():
            function = call.get("function") if isinstance(call, dict) else None
            for said in _strings(function.get("arguments") if isinstance(function, dict) else None):
                yield Passage(number, role, "arguments", said)


def _dialect(text: str) -> dict[str, Any]:
    """The object that an answer in a text dialect is; empty: it is none."""
    found = _loaded(text[text.find("{") : text.rfind("}") + 1])
    return found if isinstance(found, dict) else {}


def own_words(said: Passage) -> str:
    """What the teacher says in prose: no tool arguments, no commands of a text dialect, no code in backticks."""
    if said.place in ("arguments", "commands"):
        return ""
    return _FENCED.sub(" ", said.text) if "`" in said.text or "~~~" in said.text else said.text


def _loaded(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _strings(value: Any) -> Iterator[str]:
    """All texts in a JSON value, keys of objects left out."""
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def by(role: Role) -> pl.Expr:
    """Inside `messages.list.eval`: whether a message (JSON text) may be of the role; never wrong where it says no."""
    import polars as pl

    return pl.element().str.contains(rf'"role"\s*:\s*"{role}"')


def any_message(test: pl.Expr) -> pl.Expr:
    """Whether any message passes a test over `pl.element()`."""
    import polars as pl

    return pl.col("messages").list.eval(test).list.any()


def judged(suspect: pl.Expr, judge: Callable[..., str | None], *columns: str) -> pl.Expr:
    """Reasons by a function that is called with the values of `columns`, and only for rows that are `suspect`."""
    import polars as pl

    def decide(rows: pl.Series) -> pl.Series:
        frame = rows.struct.unnest()
        found = frame.filter(pl.col("suspect"))
        made = pl.Series("reason", [judge(*row) for row in found.drop("suspect").iter_rows()], dtype=pl.String)
        reasons = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
        return reasons.scatter(frame["suspect"].arg_true(), made).alias(rows.name) if found.height else reasons

    asked = pl.struct(suspect.fill_null(False).alias("suspect"), *columns)
    return asked.map_batches(decide, return_dtype=pl.String, is_elementwise=True)


@functools.lru_cache(maxsize=32)
def task_text(task: str | None) -> str:
    """All texts of a task (the column `task`, JSON) one after another: prompt, files, checks and solution."""
    return "\n".join(_strings(_loaded(task))) if task else ""
