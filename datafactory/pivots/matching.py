"""Whether two turns do the same, going by the turns alone: their words, then what they do, then nearly that."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from math import inf

from pydantic import BaseModel, ConfigDict, Field

from datafactory.answers import token_f1
from datafactory.pivots.actions import Action, Move
from datafactory.types import Message, Rung

_LETTERS = 4000
"""Characters of two texts together that are compared one by one; longer ones are compared line by line."""


class Match(BaseModel):
    """Keys under `match:` of the stage `pivot`: how near another turn must come to the expert's, from 0 to 1; 1: equal,
    but for what `action_of` leaves out."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    command: float = Field(default=1.0, gt=0, le=1)
    """Of what is typed or run (difflib's ratio). NeMo-Gym's `terminus_judge` takes 0.95 of the whole answer, at which
    `rm a.txt` may pass for `rm b.txt` in a long one."""
    edit: float = Field(default=1.0, gt=0, le=1)
    """Of what is put into a file and what it replaces, the lesser of the two. NeMo-Gym's `swe_pivot` takes 0.8, at
    which `<` passes for `<=`."""
    view: float = Field(default=0.8, gt=0, le=1)
    """Share of the lines that the expert looked at which must be looked at too (`swe_pivot`: 0.8)."""
    query: float = Field(default=0.8, gt=0, le=1)
    """Token F1 of a query with one of the expert's, for every query of either."""


def matched(expected: tuple[Message, Action], said: tuple[Message, Action], match: Match) -> Rung | None:
    """Which rung shows that a turn does what the expert's does; None: none does. Each turn: its message, and what that
    does."""
    if expected[1].problem or said[1].problem:
        return None
    if _words(expected[0]) == _words(said[0]):
        return "text"
    ours, theirs = expected[1].moves, said[1].moves
    if ours == theirs:
        return "action"
    if len(ours) == len(theirs) and all(_alike(a, b, match) for a, b in zip(ours, theirs, strict=True)):
        return "alike"
    return None


def _words(message: Message) -> tuple[str, list[tuple[str, dict[str, object]]]]:
    return " ".join(message.content.split()), [(call.name, call.arguments) for call in message.tool_calls]


def _alike(expected: Move, said: Move, match: Match) -> bool:
    if (expected.kind, expected.target) != (said.kind, said.target):
        return False
    if expected.text == said.text:
        return True
    if expected.kind in ("keys", "shell"):
        return _ratio("".join(expected.text), "".join(said.text)) >= match.command
    if expected.kind == "search":
        return _asked(expected.text, said.text, match.query) and _asked(said.text, expected.text, match.query)
    if expected.kind == "edit view":
        return _covered(expected.text, said.text) >= match.view
    if expected.kind.startswith("edit ") and len(expected.text) == len(said.text):
        return min(map(_ratio, expected.text, said.text)) >= match.edit
    return False


def _asked(queries: Sequence[str], others: Sequence[str], least: float) -> bool:
    """Whether each query has one like it among the others."""
    return all(token_f1(query, others) >= least for query in queries)


def _covered(expected: Sequence[str], said: Sequence[str]) -> float:
    """The share of the expected lines that were looked at; a whole file covers all, and has no known length."""
    if not said:
        return 1.0
    if not expected:
        return 0.0
    (first, last), (begins, ends) = _span(expected), _span(said)
    if last == inf:
        return float(begins <= first and ends == inf)
    shared = min(last, ends) - max(first, begins) + 1
    return max(0.0, shared / max(1.0, last - first + 1))


def _span(lines: Sequence[str]) -> tuple[float, float]:
    first, last = float(lines[0]), float(lines[-1])
    return first, inf if last == -1 else last


def _ratio(one: str, other: str) -> float:
    """How alike two texts are, from 0 to 1."""
    if one == other:
        return 1.0
    if len(one) + len(other) <= _LETTERS:
        ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
    else:
        ratio = SequenceMatcher(None, one.splitlines(), other.splitlines(), autojunk=False).ratio()
    return min(ratio, 0.999999)
