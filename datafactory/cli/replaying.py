"""`datafactory replay`: a trajectory turn by turn, as the agent lived it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule

from datafactory.agent.terminus_parse import parse
from datafactory.cli import keyboard
from datafactory.cli.describing import checks, reward
from datafactory.cli.finding import find
from datafactory.cli.printing import console, excerpt, words
from datafactory.storage import open_run

if TYPE_CHECKING:
    from rich.console import Console

LINES = 40
"""Lines of one message that are shown with --step; --all shows each whole."""
KEYS = "space next, b back, q quit"


@dataclass(frozen=True)
class Frame:
    """One screenful of a replay."""

    title: str
    body: RenderableType


def replay(run: str, id: str, runs: Path, *, step: bool) -> None:
    """Print a trajectory; with `step`, wait for a key after each turn where a person sits there. Raises DataError."""
    folder = open_run(run, runs)
    found = find(folder, id, kinds=("trajectory",))
    stepping = step and keyboard.interactive()
    frames = list(_frames(found.id, found.row, LINES if stepping else None))
    out = console()
    if stepping:
        _step(frames, out)
        return
    for frame in frames:
        _print(frame, out)


def _print(frame: Frame, out: Console) -> None:
    out.print(Rule(words(frame.title, "bold"), align="left", style="dim"))
    out.print(frame.body)
    out.print()


def _step(frames: list[Frame], out: Console) -> None:
    place = 0
    with keyboard.raw():
        while True:
            _print(frames[place], out)
            out.print(words(f"[{place + 1}/{len(frames)}]  {KEYS}", "dim"))
            move = keyboard.move()
            last = place == len(frames) - 1
            if move == "quit" or (move == "next" and last):
                return
            place = max(0, place - 1) if move == "back" else place + 1


def _frames(name: str, row: dict[str, Any], limit: int | None) -> Iterator[Frame]:
    """What was said first, each turn with what it brought, and the verdict."""
    turns = sum(message["role"] == "assistant" for message in row["messages"])
    number, title, parts = 0, f"{name}: what the agent is told", list[RenderableType]()
    for message in row["messages"]:
        if message["role"] == "assistant":
            if parts:
                yield Frame(title, Group(*parts))
            number += 1
            title, parts = f"turn {number} of {turns}", [*_answer(message, row.get("agent", ""), limit)]
        else:
            parts += _observation(message, limit)
    if parts:
        yield Frame(title, Group(*parts))
    yield Frame("verdict", Group(*_verdict(row)))


def _answer(message: dict[str, Any], agent: str, limit: int | None) -> Iterator[RenderableType]:
    content = message.get("content", "")
    thought, content = _thought(message.get("reasoning_content") or "", content)
    if thought:
        yield _labelled("thinks", thought, limit, "dim italic")
    if agent.startswith("terminus") or (not agent and not message.get("tool_calls")):
        yield from _terminus(content, limit)
    elif content.strip():
        yield _labelled("says", content, limit)
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
        yield _labelled("says", content, limit)
        return
    for label, text in (("analysis", answer.analysis), ("plan", answer.plan)):
        if text.strip():
            yield _labelled(label, text, limit)
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
        yield _labelled(f"calls {call['name']}", rest or "(no arguments)", limit, "cyan")


def _command(text: str, note: str, limit: int | None) -> RenderableType:
    shown = words("\n".join(f"$ {line}" if not i else f"  {line}" for i, line in enumerate(_cut(text, limit))), "cyan")
    return Padding(shown.append_text(words(f"   ({note})", "dim")), (0, 0, 0, 2), expand=False)


def _observation(message: dict[str, Any], limit: int | None) -> list[RenderableType]:
    label = {"system": "system", "user": "sees", "tool": f"{message.get('name') or 'tool'} answers"}
    return [_labelled(label.get(message["role"], message["role"]), message.get("content", ""), limit, "dim")]


def _labelled(label: str, text: str, limit: int | None, style: str = "") -> RenderableType:
    body = "\n".join(_cut(text.strip("\n"), limit))
    return Group(words(f"{label}:", "bold"), Padding(words(body, style), (0, 0, 0, 2), expand=False))


def _cut(text: str, limit: int | None) -> list[str]:
    return (excerpt(text, limit, 2000) if limit is not None else text).split("\n")


def _verdict(row: dict[str, Any]) -> Iterator[RenderableType]:
    verdict = row.get("verdict")
    yield words(f"{reward(verdict)}; ended: {row['stop']}", "bold")
    if verdict is not None:
        yield checks(verdict, logs=20)
