"""A chat template that shows a conversation, and says where in the text each answer of the student stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from datafactory.errors import ConfigError, DataError

Wire = Mapping[str, Any]
"""A message as an OpenAI object."""


class Shown(NamedTuple):
    """A conversation as text."""

    text: str
    turns: tuple[tuple[int, int], ...]
    """For each answer, from where to where in the text the student writes: what follows the prompt that it is given
    when it is served, up to its end-of-turn token."""


class Template:
    """The template of one tokenizer.

    An answer is what a conversation that ends with it has more than the prompt for it: just what a served student
    writes. (`{% generation %}` marks, even those of TRL's training templates, are often wider: they take in the line
    break after the end of a turn, or the one of the prompt.) A template that shows earlier turns otherwise once others
    follow, as Qwen3's drops their thoughts, is refused: what is trained would not be what the served student sees.

    That takes two renderings an answer. Where two conversations that are tried at first show that answers are just what
    stands between the prompt and the next control token, one rendering a row is enough.
    """

    def __init__(self, tokenizer: Any, source: str | None = None) -> None:
        """`source`: a template in place of the tokenizer's own. Raises ConfigError where there is none."""
        self._tokenizer = tokenizer
        self.source: str = source or _own(tokenizer)
        control = sorted({str(token) for token in tokenizer.all_special_tokens if str(token)}, key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, control)) or r"(?!)")
        self._opening = self._prompt()
        self._quick = frozenset(kind for kind, tried in _TRIED.items() if self._is_quick(*tried))

    def show(self, messages: Sequence[Wire], tools: Sequence[Wire] = ()) -> Shown:
        """The text and its turns; no control token may stand in what was said. Raises DataError for a conversation that
        the template cannot show, or shows otherwise turn by turn."""
        from jinja2 import TemplateError

        spoken = sum(message["role"] == "assistant" for message in messages)
        try:
            if _kind(messages, tools) in self._quick:
                shown = self._scanned(self._render(messages, tools))
                if len(shown.turns) == spoken:
                    return shown
            return self._compared(messages, tools)
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise DataError(f"the chat template cannot show the conversation: {error}") from error

    def _prompt(self) -> str:
        """What asks for an answer; empty where nothing that cannot be said does."""
        from jinja2 import TemplateError

        question = _TRIED["text"][0][:1]
        try:
            before, asked = self._render(question, ()), self._render(question, (), prompt=True)
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError):
            return ""
        opening = asked.removeprefix(before)
        return opening if asked.startswith(before) and self._control.search(opening) else ""

    def _is_quick(self, messages: Sequence[Wire], tools: Sequence[Wire]) -> bool:
        from jinja2 import TemplateError

        try:
            compared = self._compared(messages, tools)
        except (DataError, TemplateError, TypeError, ValueError, KeyError, AttributeError):
            return False
        return bool(self._opening) and self._scanned(compared.text) == compared

    def _scanned(self, text: str) -> Shown:
        turns = []
        at = text.find(self._opening)
        while at >= 0:
            start = at + len(self._opening)
            found = self._control.search(text, start)
            end = found.end() if found else len(text)
            turns.append((start, end))
            at = text.find(self._opening, end)
        return Shown(text, tuple(turns))

    def _compared(self, messages: Sequence[Wire], tools: Sequence[Wire]) -> Shown:
        whole = self._render(messages, tools)
        turns: list[tuple[int, int]] = []
        for place, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            asked = self._render(messages[:place], tools, prompt=True)
            said = self._render(messages[: place + 1], tools)
            if not said.startswith(asked):
                raise DataError(f"what the template asks with is not what stands before answer {len(turns) + 1}")
            end = self._end(said, len(asked))
            if not whole.startswith(said[:end]):
                raise DataError(
                    f"the chat template shows answer {len(turns) + 1} otherwise once others follow; name a "
                    "chat_template that keeps earlier turns as they were"
                )
            turns.append((len(asked), end))
        return Shown(whole, tuple(turns))

    def _end(self, said: str, start: int) -> int:
        """Where an answer ends: with its first control token after which only blanks and other such tokens stand."""
        for found in self._control.finditer(said, start):
            if not self._control.sub("", said[found.end() :]).strip():
                return found.end()
        return len(said)

    def _render(self, messages: Sequence[Wire], tools: Sequence[Wire], *, prompt: bool = False) -> str:
        text: str = self._tokenizer.apply_chat_template(
            list(messages),
            tools=list(tools) or None,
            chat_template=self.source,
            add_generation_prompt=prompt,
            tokenize=False,
        )
        return text


def _own(tokenizer: Any) -> str:
    found = getattr(tokenizer, "chat_template", None)
    if isinstance(found, dict):
        found = found.get("default")
    if not found:
        raise ConfigError("the tokenizer has no chat template; name a file with chat_template")
    return str(found)


def _kind(messages: Sequence[Wire], tools: Sequence[Wire]) -> str:
    called = bool(tools) or any(message["role"] == "tool" or message.get("tool_calls") for message in messages)
    thought = any(message.get("reasoning_content") for message in messages)
    return ("tools" if called else "text") + ("+thoughts" if thought else "")


def _tried(tools: bool, thoughts: bool) -> tuple[list[Wire], list[Wire]]:
    """A conversation with two answers, each followed by something, and a last one."""
    thought: Wire = {"reasoning_content": "zebra thinks"} if thoughts else {}
    call = {"id": "call00001", "type": "function", "function": {"name": "zebra", "arguments": {"word": "zebra"}}}
    schema = {"name": "zebra", "description": "Zebra.", "parameters": {"type": "object", "properties": {}}}
    asked: Wire = {"role": "user", "content": "zebra asks"}
    said: Wire = {"role": "assistant", "content": "zebra says", **thought}
    if not tools:
        return [asked, said, asked, said, asked, said], []
    called: Wire = {"role": "assistant", "content": "", "tool_calls": [call], **thought}
    answered: Wire = {"role": "tool", "content": "zebra", "tool_call_id": "call00001", "name": "zebra"}
    return [asked, called, answered, {**called, "content": "zebra says"}, answered, said, asked, said], [
        {"type": "function", "function": schema}
    ]


_TRIED = {
    f"{'tools' if tools else 'text'}{'+thoughts' if thoughts else ''}": _tried(tools, thoughts)
    for tools in (False, True)
    for thoughts in (False, True)
}
