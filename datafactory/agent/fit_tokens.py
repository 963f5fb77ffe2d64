"""Counts a conversation's tokens as a student's chat template renders it, anew only from where it changed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from datafactory.agent.openhands import OpenHands
from datafactory.agent.search.native import NativeSearch
from datafactory.agent.tools import Tools
from datafactory.errors import ConfigError
from datafactory.types import Message, ToolCall

if TYPE_CHECKING:
    from datafactory.agent.fit_student import Student

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Ruler:
    """A student's tokenizer and chat template; may be used from several threads at a time."""

    def __init__(self, student: Student, tokenizer: Any, agent: str) -> None:
        self.student = student
        self._tokenizer = tokenizer
        self._backend: Any = None
        self._turn = threading.Lock()
        self.marks: tuple[str, ...] = ()
        """Tokens at whose start a text can be cut without a change in how either side is tokenized."""
        shown = self._tried(agent)
        if getattr(tokenizer, "is_fast", False):
            # The wrapper's own `encode` sets truncation anew at each call, which two threads must not do at once.
            self._backend = tokenizer.backend_tokenizer
            self._backend.no_truncation()
            self._backend.no_padding()
            self.marks = _marks(self._backend.get_added_tokens_decoder().values(), shown)

    def render(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()) -> str | None:
        """The text that the student is trained on; None: its template cannot show such a conversation."""
        from jinja2 import TemplateError

        try:
            return self._rendered(messages, tools)
        except (TemplateError, TypeError, ValueError):
            return None

    def _rendered(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]) -> str:
        wires = [message.wire() for message in messages]
        text: str = self._tokenizer.apply_chat_template(wires, tools=list(tools) or None, tokenize=False)
        return _LONE_SURROGATE.sub("\ufffd", text)

    def tokens(self, text: str) -> int:
        """How many tokens a text has."""
        if self._backend is not None:
            return len(self._backend.encode(text, add_special_tokens=False))
        with self._turn:
            return len(self._tokenizer.encode(text, add_special_tokens=False))

    def _tried(self, agent: str) -> str:
        """A conversation of every kind of message, rendered. Raises ConfigError where the template cannot show it."""
        from jinja2 import TemplateError

        messages, tools = _sample(agent)
        who = f"student: the chat template of {self.student.tokenizer!r}"
        try:
            shown = self._rendered(messages, tools)
        except (TemplateError, TypeError, ValueError) as error:
            raise ConfigError(f"{who} cannot show a conversation of the agent {agent!r}: {error}") from error
        for word, what in _WORDS.items():
            if any(word in message.model_dump_json() for message in messages) and word not in shown:
                raise ConfigError(f"{who} leaves out {what}: rows of the agent {agent!r} would teach it nothing")
        return shown


class _Cut(NamedTuple):
    start: int
    """Where in the text a mark starts."""
    end: int
    """Where that mark ends."""
    tokens: int
    """Of the text before it."""


class Meter:
    """Counts one conversation again and again as it grows.

    A count holds up to the last mark (such as `<|im_end|>`) of the text: what follows is tokenized anew. Where a
    template rewrites what it rendered before (Qwen3's drops earlier thoughts), it goes back to the last mark before
    the change.
    """

    def __init__(self, ruler: Ruler) -> None:
        self._ruler = ruler
        self._text = ""
        self._cuts: list[_Cut] = []

    def count(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()) -> int | None:
        """Tokens of the whole conversation; None: the template cannot show it."""
        text = self._ruler.render(messages, tools)
        if text is None:
            return None
        while self._cuts and text[: self._cuts[-1].end] != self._text[: self._cuts[-1].end]:
            self._cuts.pop()
        self._text = text
        start, _, before = self._cuts[-1] if self._cuts else _Cut(0, 0, 0)
        cut, mark = max(((text.rfind(mark, start), mark) for mark in self._ruler.marks), default=(-1, ""))
        if cut > start:
            before += self._ruler.tokens(text[start:cut])
            self._cuts.append(_Cut(cut, cut + len(mark), before))
            start = cut
        return before + self._ruler.tokens(text[start:])


def _marks(added: Iterable[Any], shown: str) -> tuple[str, ...]:
    """Those of a tokenizer's added tokens that a template writes itself, and that nothing can run into.

    A tokenizer splits a text at its added tokens before it does anything else, so the sides of such a token do not
    touch: unless it takes in the space before it, or another added token overlaps with its beginning.
    """
    tokens = list(added)
    alone = [t for t in tokens if t.content in shown and not (t.lstrip or t.single_word or t.normalized)]
    return tuple(t.content for t in alone if not any(_runs_into(other.content, t.content) for other in tokens))


def _runs_into(other: str, token: str) -> bool:
    if other != token and token in other:
        return True
    return any(token.startswith(other[-length:]) for length in range(1, min(len(other), len(token) + 1)))


_WORDS = {
    "zebra-asked": "what the user says",
    "zebra-answered": "answers",
    "zebra-called": "tool calls",
    "zebra-resulted": "the results of tools",
}
"""Words of the conversation that a template is tried on, and what is lost where one is missing."""
_TOOLS: dict[str, tuple[dict[str, Any], ...]] = {
    "tools": Tools.tools,
    "openhands": OpenHands.tools,
    "search": NativeSearch.tools,
}
"""Of the dialects with native calls."""


def _sample(agent: str) -> tuple[list[Message], tuple[dict[str, Any], ...]]:
    asked = Message(role="user", content="zebra-asked")
    answered = Message(role="assistant", content="zebra-answered")
    if agent not in _TOOLS:
        return [asked, answered, asked, answered], ()
    tools = _TOOLS[agent]
    first = tools[0]["function"]
    given = dict.fromkeys(first["parameters"]["required"], "zebra-called")
    call = ToolCall(id="call00001", name=first["name"], arguments=given)
    calls = Message(role="assistant", tool_calls=(call,))
    result = Message(role="tool", content="zebra-resulted", tool_call_id=call.id, name=call.name)
    return [Message(role="system", content="zebra"), asked, calls, result, answered], tools
