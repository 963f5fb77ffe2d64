"""What one message of an agent says, in either dialect, as a person reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding

from datafactory.agent.terminus_parse import parse
from datafactory.cli.printing import excerpt, words


def answer(message: dict[str, Any], agent: str, limit: int | None) -> Iterator[RenderableType]:
    """An assistant's thoughts, plan and commands, or its tool calls; `limit` lines of each text, None: all of it."""
    content = message.get("content", "")
    thought, content = _thought(message.get("reasoning_content") or "", content)
    if thought:
        yield labelled("thinks", thought, limit, "dim italic")
    if agent.startswith("terminus") or (not agent and not message.get("tool_calls")):
        yield from _terminus(content, limit)
    elif content.strip():
        yield labelled("says", content, limit)
    for call in message.get("tool_calls", ()):
        yield from _call(call, limit)
    if message.get("fault"):
        yield words(f"fault: {message['fault']}", "red")


def _thought(reasoning: str, content: str) -> tuple[str, str]:
    """Reasoning that stands in the content between think tags is told apart from what was said."""
    start, closed, rest = content.partition("</think>")
    if closed and start.lstrip().startswith("<think>"):
        return "\n".join(part for part in (reasoning, start.lstrip()[len("<think>") :].strip()) if part), rest.strip()
    return reasoning, content


def _terminus(content: str, limit: int | None) -> Iterator[RenderableType]:
    answer = parse(content)
    if answer.error and not answer.analysis:
        yield labelled("says", content, limit)
        return
    for label, text in (("analysis", answer.analysis), ("plan", answer.plan)):
        if text.strip():
            yield labelled(label, text, limit)
    for keys in answer.commands:
        shown = keys.text.rstrip("\n") or "(waits)"
        yield _command(shown, f"{keys.seconds:g} s", limit)
    if answer.complete:
        yield words("says that the task is complete", "green")


def _call(call: dict[str, Any], limit: int | None) -> Iterator[RenderableType]:
    arguments = dict(call.get("arguments") or {})
    command = arguments.pop("command", None)
    rest = json.dumps(arguments, ensure_ascii=False) if arguments else ""
    if isinstance(command, str):
        yield _command(command, " ".join(part for part in (call["name"], rest) if part), limit)
    else:
        yield labelled(f"calls {call['name']}", rest or "(no arguments)", limit, "cyan")


def _command(text: str, note: str, limit: int | None) -> RenderableType:
    shown = words("\n".join(f"$ {line}" if not i else f"  {line}" for i, line in enumerate(_cut(text, limit))), "cyan")
    return Padding(shown.append_text(words(f"   ({note})", "dim")), (0, 0, 0, 2), expand=False)


def labelled(label: str, text: str, limit: int | None, style: str = "") -> RenderableType:
    """A text, indented, under what it is."""
    body = "\n".join(_cut(text.strip("\n"), limit))
    return Group(words(f"{label}:", "bold"), Padding(words(body, style), (0, 0, 0, 2), expand=False))


def _cut(text: str, limit: int | None) -> list[str]:
    return (excerpt(text, limit, 2000) if limit is not None else text).split("\n")
