"""What the teacher is asked to answer, as JSON of a schema; nothing is read out of running text."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Answered(BaseModel):
    """The root: all keys are required, and no others allowed."""

    model_config = ConfigDict(extra="forbid")


class Notes(Answered):
    """A page in short."""

    summary: str = Field(min_length=1)
    points: list[str] = Field(min_length=1, max_length=12)
    """Facts of the page, a sentence each."""


class Asked(Answered):
    """A question from one page."""

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    statement: str = Field(min_length=1)
    """The fact that it asks for, in one declarative sentence."""


class Choice(Answered):
    """What to do next with a question."""

    note: str
    action: Literal["fuzz", "inject", "exit"]
    target: str
    """To inject: url of the page whose name is to be described instead."""
    question: str
    """To fuzz: the question, rewritten."""


class Covered(Answered):
    """Whether a fact is in what is known already."""

    reasoning: str
    covered: bool


class Composed(Answered):
    """Two questions in one."""

    note: str
    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)


class Validity(Answered):
    """The four criteria of a valid question."""

    reasoning: str
    one_question: bool
    """It is no row of questions put side by side."""
    right: bool
    """The answer is right, and the only right one."""
    unique: bool
    """One thing alone is asked for."""
    supported: bool
    """It can be answered by the statements."""

    def broken(self) -> tuple[str, ...]:
        """Names of the criteria that do not hold."""
        return tuple(name for name in ("one_question", "right", "unique", "supported") if not getattr(self, name))


class ByHeart(Answered):
    """An answer with nothing looked up."""

    reasoning: str
    answer: str = Field(min_length=1)


class Alternative(Answered):
    """Whether another answer fits as well."""

    reasoning: str
    also_right: bool
