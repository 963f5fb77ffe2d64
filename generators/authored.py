"""A terminal task as a model writes it: the JSON schema that it is asked for."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class WrittenFile(_Written):
    """An input file."""

    path: str = Field(description="Relative to /app, such as data/orders.csv.")
    content: str


class WrittenCheck(_Written):
    """A Python program that judges."""

    name: str
    program: str = Field(description="Python source; ends in AssertionError where the agent did wrong.")
    weight: float = Field(description="Above 0.")


class WrittenStep(_Written):
    """A step of the reference solution."""

    thought: str
    command: str


class WrittenTask(_Written):
    """A terminal task."""

    title: str
    instruction: str
    files: list[WrittenFile]
    checks: list[WrittenCheck]
    solution: list[WrittenStep]
    difficulty: Literal["easy", "medium", "hard"]
    skills: list[str]
