"""What a judge is shown of an attempt, fenced so that nothing in it can pass for the request."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import jinja2

from datafactory.judging.rubric import Part, Rubric
from datafactory.judging.transcript import clipped, last_words, transcript
from datafactory.swe_facts import model_patch
from datafactory.types import Task, Trajectory, digest_of

CODE = 24
"""Hex digits of a fence's code: 96 bits."""
PLACES = ("A", "B")
"""What two attempts are called where they are compared."""


@dataclass(frozen=True)
class Shown:
    """One part of the evidence."""

    title: str
    text: str


@dataclass(frozen=True)
class Room:
    """How much of an attempt is shown, in characters."""

    whole: int = 60_000
    """Of the transcript."""
    each: int = 4_000
    """Of one message; of the prompt, the answer and the diff ten times as much."""


def evidence(rubric: Rubric, task: Task, attempt: Trajectory, room: Room, code: str) -> list[Shown]:
    """The parts that the rubric wants, as far as the attempt has them. Neither verdict nor checks nor solution are
    among them, nor what other judges said."""
    made: dict[Part, str | None] = {}
    for part in rubric.sees:
        if part == "prompt":
            made[part] = clipped(task.prompt, 10 * room.each)
        elif part == "transcript":
            made[part] = transcript(attempt.messages, code=code, limit=room.whole, each=room.each)
            made[part] = f"{made[part]}\n\n[{code} ended: {attempt.stop}]"
        elif part == "answer":
            said = attempt.answer if task.question is not None else None
            made[part] = clipped(said, 10 * room.each) if said else last_words(attempt.messages, each=10 * room.each)
        else:
            patch = model_patch(attempt, task)
            made[part] = None if patch is None else clipped(patch or "(nothing was changed)", 10 * room.each)
    return [Shown(part, text) for part, text in made.items() if text is not None]


def fenced(make: Callable[[str], list[Shown]], seed: int) -> tuple[str, list[Shown]]:
    """A code that stands in none of the parts that `make` gives for a code, and the parts with it. It follows from the
    seed and from all of the text, so that it is the same in every run and nobody who writes the text can know it."""
    parts = make("-" * CODE)
    text = [[part.title, part.text] for part in parts]
    code = digest_of(["fence", seed, text], length=CODE)
    while any(code in part.text for part in parts):
        code = digest_of(["fence", code, text], length=CODE)
    return code, make(code)


def request(rubric: Rubric, task: Task, attempt: Trajectory, room: Room, *, seed: int) -> str:
    """The prompt for a judge. Raises ConfigError where the rubric's text cannot be filled in."""
    code, parts = fenced(lambda code: evidence(rubric, task, attempt, room, code), seed)
    low, high = (rubric.schema_of_answers["properties"]["score"].get(key) for key in ("minimum", "maximum"))
    return _frame("judge").render(
        criteria=rubric.text(),
        code=code,
        parts=parts,
        own_schema=json.dumps(rubric.own_schema, indent=1) if rubric.own_schema is not None else "",
        whole=rubric.whole,
        low=low,
        high=high,
    )


def comparison(rubric: Rubric, task: Task, pair: tuple[Trajectory, Trajectory], room: Room, *, seed: int) -> str:
    """The prompt for a judge of two attempts, in this order; each has half of the room."""
    half = Room(whole=room.whole // 2, each=room.each)

    def make(code: str) -> list[Shown]:
        parts = []
        for place, attempt in zip(PLACES, pair, strict=True):
            own = evidence(rubric, task, attempt, half, code)
            parts += [part for part in own if part.title == "prompt" and place == PLACES[0]]
            parts += [Shown(f"{place} {part.title}", part.text) for part in own if part.title != "prompt"]
        return parts

    code, parts = fenced(make, seed)
    return _frame("compare").render(criteria=rubric.text(), code=code, parts=parts)


@cache
def _frame(name: str) -> jinja2.Template:
    text = (files("datafactory.judging") / "prompts" / f"{name}.md").read_text(encoding="utf-8")
    return jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(text)
