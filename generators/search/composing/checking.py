"""The checks that every candidate question must pass before it replaces the one before it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from datafactory.answers import exact_match, judged, normalised
from datafactory.types import Question, Reject
from generators.search.composing.answers import Alternative, ByHeart, Validity
from generators.search.composing.asking import Desk

_SHOWN = 300
"""Characters of a model's reason that stay in a reject."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that wants to be accepted."""

    question: str
    answer: str
    statements: tuple[str, ...]
    hidden: str = ""
    """A name that it must describe and not say."""


async def check(desk: Desk, candidate: Candidate, turn: int, *, samples: int) -> int | Reject:
    """How many of `samples` answers by heart are right, or why the candidate does not count (arXiv 2508.07976, section
    3): `answer_in_question`, `names_the_link`, `not_valid`, `other_answer`; `truncated`, `not_json`, `schema` where the
    teacher's word cannot be read. Raises TeacherError."""
    asked = f" {normalised(candidate.question)} "
    if f" {normalised(candidate.answer)} " in asked:
        return Reject(reason="answer_in_question", detail=f"{candidate.answer!r} is in {candidate.question!r}")
    if candidate.hidden and f" {normalised(candidate.hidden)} " in asked:
        return Reject(reason="names_the_link", detail=f"{candidate.hidden!r} is still in {candidate.question!r}")
    values = {"question": candidate.question, "answer": candidate.answer, "statements": candidate.statements}
    valid = await desk.ask("search_valid", Validity, (turn,), **values)
    if isinstance(valid, Reject):
        return valid
    if broken := valid.broken():
        return Reject(reason="not_valid", detail=f"{', '.join(broken)}: {valid.reasoning[:_SHOWN]}")
    return await _by_heart(desk, candidate, turn, samples, values)


async def _by_heart(desk: Desk, candidate: Candidate, turn: int, samples: int, values: dict[str, Any]) -> int | Reject:
    asks = (desk.ask("search_by_heart", ByHeart, (turn, n), question=candidate.question) for n in range(samples))
    given = await asyncio.gather(*asks)
    said = [one.answer.strip() for one in given if isinstance(one, ByHeart)]
    if given and not said:
        return next(one for one in given if isinstance(one, Reject))
    distinct = {normalised(answer): answer for answer in said if normalised(answer)}
    right: dict[str, bool] = {}
    question = Question(corpus="", text=candidate.question, answers=(candidate.answer,))
    for place, (normal, answer) in enumerate(distinct.items()):
        known = exact_match(answer, (candidate.answer,))
        word = known or await judged(question, answer, desk, desk.seeded("judge", turn, place))
        right[normal] = bool(word)
    for place, (normal, answer) in enumerate(distinct.items()):
        if right[normal]:
            continue
        other = await desk.ask("search_alternative", Alternative, (turn, place), other=answer, **values)
        if isinstance(other, Reject):
            return other
        if other.also_right:
            return Reject(reason="other_answer", detail=f"{answer!r} fits too: {other.reasoning[:_SHOWN]}")
    return sum(right.get(normalised(answer), False) for answer in said)
