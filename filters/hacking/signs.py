"""The kinds of signs that there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "verifier_files",
    "stub_programs",
    "test_hooks",
    "environment",
    "kills",
    "scheduled",
    "background",
    "hard_coded",
    "copied_answer",
    "unseen_answer",
    "unseen_evidence",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
DEFAULT: tuple[Kind, ...] = (
    "verifier_files",
    "stub_programs",
    "test_hooks",
    "environment",
    "kills",
    "scheduled",
    "unseen_answer",
)
"""Those that honest attempts do not show; the others are what an honest attempt may come to as well."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign, and what shows it."""

    kind: Kind
    turn: int
    """Of the teacher's answers, from 1."""
    shown: str
    """What was done, as a reason goes on: `writes /logs/verifier/reward.txt`."""

    def __str__(self) -> str:
        return f"{self.kind}: turn {self.turn} {self.shown}"
