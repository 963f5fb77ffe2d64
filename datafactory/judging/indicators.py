"""The seven indicators of a good prompt, as judges find them in tasks (BenchBuilder, arXiv 2406.11939, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from statistics import fmean
from typing import Any, Literal

import jinja2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from datafactory.judging.answering import COMBINED, NOTE
from datafactory.judging.evidence import CODE
from datafactory.judging.transcript import clipped
from datafactory.types import Reply, Score, digest_of

Indicator = Literal[
    "specificity",
    "domain_knowledge",
    "complexity",
    "problem_solving",
    "creativity",
    "technical_accuracy",
    "real_world",
]

INDICATORS: tuple[str, ...] = (
    "specificity",
    "domain_knowledge",
    "complexity",
    "problem_solving",
    "creativity",
    "technical_accuracy",
    "real_world",
)
"""In the order of the paper."""
COUNT = "indicators"
"""The score that says how many of them hold, from 0 to 7."""
DIFFICULTY = "difficulty"
"""The score that says how hard a task looks, from 1 to 5."""


class Appraisal(BaseModel):
    """What a judge is to answer."""

    model_config = ConfigDict(extra="forbid")

    reasoning: str
    holds: list[Indicator]


class Levelled(Appraisal):
    """What a judge is to answer where it is asked for the difficulty too."""

    difficulty: int = Field(ge=1, le=5)


class Unread(BaseModel):
    """Why there is no appraisal."""

    why: str


def form(*, difficulty: bool) -> type[Appraisal]:
    """The shape of an answer."""
    return Levelled if difficulty else Appraisal


def appraising(prompt: str, *, limit: int, difficulty: bool, seed: int) -> str:
    """What a judge is asked about a task's prompt, of which it sees `limit` characters, head and tail.

    The text stands between lines with a code that follows from it, so that nothing in it can pass for the question.
    """
    shown = clipped(prompt, limit)
    code = digest_of(["appraise", seed, shown], length=CODE)
    while code in shown:
        code = digest_of(["appraise", code], length=CODE)
    return _template().render(task=shown, code=code, difficulty=difficulty)


def read_appraisal(reply: Reply, *, difficulty: bool) -> Appraisal | Unread:
    """The answer, never a guess: one that is cut off or not of the form is unread."""
    if reply.cut:
        return Unread(why=f"unreadable: the answer was cut off ({reply.finish})")
    text = reply.message.content.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text.removesuffix("```").removeprefix("```").removeprefix("json")
    try:
        return form(difficulty=difficulty).model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        return Unread(why=f"unreadable: {where + ': ' if where else ''}{first['msg']}; the answer: {text[:200]}")


def scores_of(found: Appraisal | Unread, judge: str, *, difficulty: bool) -> list[Score]:
    """One judge's scores: 1 or 0 for each indicator, how many hold, and the difficulty where it was asked for.

    The reason stands with the count; an answer that could not be read makes scores without a number.
    """
    if isinstance(found, Unread):
        return [Score(name=name, judge=judge, note=found.why[:NOTE]) for name in _names(difficulty)]
    values = {name: float(name in found.holds) for name in INDICATORS}
    made = [Score(name=name, value=value, judge=judge) for name, value in values.items()]
    made.append(Score(name=COUNT, value=sum(values.values()), judge=judge, note=found.reasoning[:NOTE]))
    if isinstance(found, Levelled):
        made.append(Score(name=DIFFICULTY, value=float(found.difficulty), judge=judge))
    return made


def together(each: Sequence[Sequence[Score]], *, difficulty: bool) -> list[Score]:
    """The mean of several judges, for each score; without a number where not more than half of them gave one."""
    made = []
    for name in _names(difficulty):
        scores = [score for scores in each for score in scores if score.name == name]
        values = [score.value for score in scores if score.value is not None]
        enough = 2 * len(values) > len(scores)
        listed = ", ".join(f"{score.judge} {'-' if score.value is None else f'{score.value:g}'}" for score in scores)
        note = f"{'mean' if enough else 'only'} of {len(values)} of {len(scores)} judges: {listed}"
        value = round(fmean(values), 6) if enough else None
        made.append(Score(name=name, value=value, judge=COMBINED, note=note[:NOTE]))
    return made


def _names(difficulty: bool) -> tuple[str, ...]:
    return (*INDICATORS, COUNT, DIFFICULTY) if difficulty else (*INDICATORS, COUNT)


def lacking(scores: Sequence[Score]) -> list[str]:
    """Indicators that less than half of what judged finds or, where there is none, that not all find."""
    values = {score.name: score.value for score in scores if score.name in INDICATORS and score.value is not None}
    few = [name for name, value in values.items() if value < 0.5]
    return few or [name for name, value in values.items() if value < 1]


def schema(*, difficulty: bool) -> dict[str, Any]:
    """JSON schema of an answer."""
    return form(difficulty=difficulty).model_json_schema()


@cache
def _template() -> jinja2.Template:
    text = (files("datafactory.judging") / "prompts" / "indicators.md").read_text(encoding="utf-8")
    return jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(text)
