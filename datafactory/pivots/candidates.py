"""Which turns of an attempt are worth asking a policy about."""

from __future__ import annotations

from typing import Literal

from datafactory.pivots.actions import action_of
from datafactory.types import Trajectory, digest_of

Spread = Literal["even", "drawn"]


def candidates(attempt: Trajectory, *, most: int | None, spread: Spread, seed: int) -> list[tuple[int, int]]:
    """Turns that do something, `most` of them at most, in order: the number of each among the expert's answers, and its
    place among the messages.

    Left out are turns with a fault, those that only think, and those whose history was shortened later, since the
    expert saw more than the row shows. `spread`: `even` takes the first, the last, and turns at equal distance between
    them; `drawn` takes them by SHA-256 of `seed` and the turn.
    """
    turn = -1
    found: list[tuple[int, int]] = []
    for place, message in enumerate(attempt.messages):
        if message.role != "assistant":
            continue
        turn += 1
        action = action_of(message, attempt.agent, attempt.tools)
        acts = any(move.kind != "think" for move in action.moves)
        if acts and message.fault is None and place >= attempt.compacted:
            found.append((turn, place))
    if most is None or len(found) <= most:
        return found
    if spread == "drawn":
        drawn = sorted(found, key=lambda each: digest_of([seed, "pivot", attempt.id, each[0]], length=64))
        return sorted(drawn[:most])
    return [found[round(number * (len(found) - 1) / max(most - 1, 1))] for number in range(most)]
