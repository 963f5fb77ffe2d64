"""`datafactory replay`: a trajectory turn by turn, as the agent lived it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.rule import Rule

from datafactory.cli import keyboard
from datafactory.cli.describing import answered, checks, facts, reward
from datafactory.cli.finding import find, question_of
from datafactory.cli.printing import console, words
from datafactory.cli.speaking import answer, labelled
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
    asked = question_of(folder, found.row)
    frames = list(_frames(found.id, found.row, asked, LINES if stepping else None))
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


def _frames(name: str, row: dict[str, Any], asked: dict[str, Any] | None, limit: int | None) -> Iterator[Frame]:
    """What was said first, each turn with what it brought, and the verdict."""
    turns = sum(message["role"] == "assistant" for message in row["messages"])
    number, title, parts = 0, f"{name}: what the agent is told", list[RenderableType]()
    for message in row["messages"]:
        if message["role"] == "assistant":
            if parts:
                yield Frame(title, Group(*parts))
            number += 1
            title, parts = f"turn {number} of {turns}", [*answer(message, row.get("agent", ""), limit)]
        else:
            parts += _observation(message, limit)
    if parts:
        yield Frame(title, Group(*parts))
    yield Frame("verdict", Group(*_verdict(row, asked)))


def _observation(message: dict[str, Any], limit: int | None) -> list[RenderableType]:
    label = {"system": "system", "user": "sees", "tool": f"{message.get('name') or 'tool'} answers"}
    return [labelled(label.get(message["role"], message["role"]), message.get("content", ""), limit, "dim")]


def _verdict(row: dict[str, Any], asked: dict[str, Any] | None) -> Iterator[RenderableType]:
    verdict = row.get("verdict")
    yield words(f"{reward(verdict)}; ended: {row['stop']}", "bold")
    if asked is not None:
        yield facts(answered(row, asked))
    if verdict is not None:
        yield checks(verdict, logs=20)
