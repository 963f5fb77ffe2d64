"""Pivots: single turns at which a policy is sometimes right and sometimes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from datafactory.types.messages import Message, Usage
from datafactory.types.record import Record
from datafactory.types.trajectories import Lineage

Rung = Literal["text", "action", "alike", "outcome", "judge"]
"""What showed that two turns do the same: their words, what they do, nearly what they do, what came of it, or a
judge's word."""


class LocalRollout(Record):
    """One answer to the history of a turn; nothing follows on it."""

    message: Message
    score: float
    """1: it does what the expert's turn does; 0: it does something else, or nothing that can be understood."""
    rung: Rung | None = None
    """What showed that it is right; None: nothing did."""
    note: str = ""
    """Why it is not right, as far as that is known."""


class Pivot(Record):
    """One turn of an attempt, how often a policy does there what the expert did, and all that a trainer needs of it
    (PivotRL, arXiv 2603.21383)."""

    task_id: str
    attempt: int
    turn: int
    """Which answer of the expert's it is, from 0."""
    turns: int
    """How many answers the attempt has."""
    agent: str
    """The dialect, as in the trajectory."""
    domain: str = ""
    generator: str = ""
    messages: tuple[Message, ...]
    """The history before the turn: all that policy and expert know."""
    tools: tuple[dict[str, Any], ...] = ()
    expected: Message
    """What the expert said."""
    expert: str
    """Name of the teacher who made the attempt."""
    expert_model: str = ""
    reward: float | None = None
    """What the attempt earned in the end."""
    policy: str
    """Name of the teacher who was profiled; of a mix, of the one that answered first."""
    rollouts: tuple[LocalRollout, ...]
    passed: int
    total: int
    mean: float
    """`passed` of `total`."""
    variance: float
    """Of the scores: mean * (1 - mean)."""
    max_mean: float
    """Means from here on were too easy."""
    verifier: str
    """How answers were scored: `action`, and what came after it: `action+outcome+judge`."""
    usage: Usage = Usage()
    """Tokens of the rollouts."""
    lineage: Lineage = Lineage()
    """Of the rollouts; the task's digest, image and sandbox included."""

    @classmethod
    def key_of(cls, row: Mapping[str, Any]) -> str:
        """`<task>/<attempt>/<turn>`, from JSON."""
        return f"{row['task_id']}/{row['attempt']}/{row['turn']}"

    @property
    def id(self) -> str:
        """`<task>/<attempt>/<turn>`: the key of this record in every shelf."""
        return f"{self.task_id}/{self.attempt}/{self.turn}"
