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
    hidden: frozenset[str] = frozenset()
    """Names that it must describe and not say."""


async def check(desk: Desk, candidate: Candidate, turn: int, *, samples: int) -> int | Reject:
    """How many of `samples` answers by heart are right, or why the candidate does not count (arXiv 2508.07976, section
    3): `answer_in_question`, `names_the_link`, `not_valid`, `other_answer`; where the teacher's word cannot be read
    `not_judged`, `truncated`, `not_json`, `schema`. Raises TeacherError."""
    asked = f" {normalised(candidate.question)} "
    if f" {normalised(candidate.answer)} " in asked:
        return Reject(reason="answer_in_question", detail=f"{candidate.answer!r} is in {candidate.question!r}")
    for name in sorted(candidate.hidden):
        if f" {normalised(name)} " in asked:
            return Reject(reason="names_the_link", detail=f"{name!r} is in {candidate.question!r}")
    values = {"question": candidate.question, "answer": candidate.answer, "statements": candidate.statements}
    valid = await desk.ask("search_valid", Validity, (turn,), **values)
    if isinstance(valid, Reject):
        return valid
    if broken := valid.broken():
        return Reject(reason="not_valid", detail=f"{', '.join(broken)}: {valid.reasoning[:_SHOWN]}")
    return await _by_heart(desk, candidate, turn, samples, values)


async def _by_heart(desk: Desk, candidate: Candidate, turn: int, samples: int, values: dict[str, Any]) -> int | Reject:
    said: list[str] = []
    for given in await asyncio.gather(*(_sample(desk, candidate.question, (turn, n)) for n in range(samples))):
        if isinstance(given, Reject):
            return given  # what cannot be read is no wrong answer: the question would look harder than it is
        said.append(given.answer.strip())
    distinct = list({normalised(answer): answer for answer in said}.values())
    right: set[str] = set()
    for place, answer in enumerate(distinct):
        word = await _right(desk, candidate, answer, (turn, place))
        if word is None:
            return Reject(reason="not_judged", detail=f"the teacher did not say whether {answer!r} is right")
        if word:
            right.add(normalised(answer))
            continue
        other = await desk.ask("search_alternative", Alternative, (turn, place), other=answer, **values)
        if isinstance(other, Reject):
            return other
        if other.also_right:
            return Reject(reason="other_answer", detail=f"{answer!r} fits too: {other.reasoning[:_SHOWN]}")
    return sum(normalised(answer) in right for answer in said)


async def _sample(desk: Desk, question: str, place: tuple[int, ...]) -> ByHeart | Reject:
    """One answer; asked for once more, with another seed, where it cannot be read."""
    given = await desk.ask("search_by_heart", ByHeart, place, question=question)
    return (
        given
        if isinstance(given, ByHeart)
        else await desk.ask("search_by_heart", ByHeart, (*place, "again"), question=question)
    )


async def _right(desk: Desk, candidate: Candidate, answer: str, place: tuple[int, ...]) -> bool | None:
    """Whether an answer is right, word for word or by the teacher's word; None: that cannot be read."""
    if exact_match(answer, (candidate.answer,)):
        return True
    question = Question(corpus="", text=candidate.question, answers=(candidate.answer,))
    return await judged(question, answer, desk, desk.seeded("judge", *place))
