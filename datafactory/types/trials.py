"""Trials: attempts by which students are measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from datafactory.types.record import Record
from datafactory.types.trajectories import Trajectory

Pupil = Literal["base", "trained"]
"""Which student: the one before training, or the one after."""
Part = Literal["combination", "task", "trained", "prompts"]
"""What a trial measures: tasks whose combination of skills nobody learned from; tasks that nobody learned from, of
combinations that somebody did; tasks that were trained on after all; plain questions of another domain."""


class Trial(Record):
    """One attempt of one student at one held-out task, judged."""

    student: Pupil
    part: Part
    combination: str = ""
    """The task's combination of skills (`datafactory.holding_out.combination_of`)."""
    attempt: Trajectory
    """With its verdict."""

    @classmethod
    def key_of(cls, row: Mapping[str, Any]) -> str:
        """`<student>/<task>/<attempt>`, from JSON."""
        return f"{row['student']}/{row['attempt']['task_id']}/{row['attempt']['attempt']}"

    @property
    def id(self) -> str:
        """`<student>/<task>/<attempt>`: the key of this record in every shelf."""
        return f"{self.student}/{self.attempt.id}"
