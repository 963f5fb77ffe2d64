"""Attempts at one task held against each other: who plays whom, how a game is read, and what it makes of an attempt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

from datafactory.judging.answering import NOTE
from datafactory.judging.rubric import REASON_CHARS, Rubric
from datafactory.types import Reply, Score

POINTS = {"A>>B": (3, 3.0), "A>B": (1, 1.0), "A=B": (1, 0.5), "B>A": (1, 0.0), "B>>A": (3, 0.0)}
"""For each verdict what the game weighs and what of that the first attempt gets: a clear word counts three times, as in
Arena-Hard-Auto (arXiv 2406.11939)."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reasoning": {"type": "string", "maxLength": REASON_CHARS},
        "verdict": {"type": "string", "enum": list(POINTS)},
    },
    "required": ["reasoning", "verdict"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Game:
    """Two attempts in one order, as a judge saw them."""

    weight: int
    """0: nothing that can be read."""
    points: float
    """Of the first attempt; the rest of the weight is the second's."""

    def of(self, *, first: bool) -> float:
        """Points of one of the two."""
        return self.points if first else self.weight - self.points


Match = tuple[Game, Game]
"""A pair in both orders: a judge that prefers what stands first gives a draw."""


def read_game(reply: Reply) -> Game:
    """What a judge said of two attempts; nothing that counts where it cannot be read."""
    try:
        said = json.loads(reply.message.content, strict=False)
    except (ValueError, RecursionError):
        return Game(0, 0.0)
    if reply.cut or not Draft202012Validator(SCHEMA).is_valid(said):
        return Game(0, 0.0)
    return Game(*POINTS[said["verdict"]])


def matches(attempts: Sequence[int], most: int) -> list[tuple[int, int]]:
    """Who plays whom, as pairs with the lower number first: each attempt meets those that follow it in a circle, so
    that nobody plays more than `most` others, or about as many, and all equally often."""
    size = len(attempts)
    reach = range(1, min(max(1, most // 2), size // 2) + 1) if most < size - 1 else range(1, size)
    met = {
        (min(one, other), max(one, other))
        for place, one in enumerate(attempts)
        for step in reach
        if (other := attempts[(place + step) % size]) != one
    }
    return sorted(met)


def preferred(played: Sequence[tuple[Match, bool]], rubric: Rubric, judge: str) -> Score:
    """One attempt's score: its share of the weight of its games, put on the rubric's scale; None without a game.

    `played`: its matches, and whether it is the first of the pair. The second game of a match has the pair swapped.
    """
    points = weight = 0.0
    kept = read = 0
    for (there, back), first in played:
        points += there.of(first=first) + back.of(first=not first)
        weight += there.weight + back.weight
        read += bool(there.weight) + bool(back.weight)
        # Its word stands if the pair swapped gives the other sign, or twice a tie.
        kept += bool(there.weight and back.weight) and _sign(there) == -_sign(back)
    said = f"{read} of {2 * len(played)} games against {len(played)} attempts can be read"
    if not weight:
        return Score(name=rubric.name, value=None, judge=judge, note=f"no number: {said}"[:NOTE])
    low, high = rubric.scale
    note = f"{points:g} of {weight:g} points; {said}; swapped, the judge kept its word in {kept} of {len(played)} pairs"
    return Score(name=rubric.name, value=round(low + (high - low) * points / weight, 6), judge=judge, note=note[:NOTE])


def _sign(game: Game) -> int:
    share = 2 * game.points - game.weight
    return (share > 0) - (share < 0)
