"""Signs in what was done to answer a question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datafactory.answers import gives_up, normalised
from filters.actions import Action
from filters.hacking.signs import Sign

_CHOICE = re.compile(r"\bor\b|\bwhich of\b|\bboth\b|\bbetween\b|\bcompar|,.*\band\b", re.IGNORECASE)
"""Questions that name what may be the answer."""
_TOLD = {"yes", "no", "true", "false", "none", "both", "neither"}
_WORDS = 2
"""Words of the shortest answer that cannot stand in a question by chance."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and what its attempt came to, as the columns of a row have it."""

    question: str
    answer: str
    answers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    opened: frozenset[str] = frozenset()
    """Urls whose passages were shown, or that were visited."""


def search_signs(done: Sequence[Action], asked: Asked) -> Iterator[Sign]:
    """The signs in an attempt at a question. One that gave up, or answered yes or no, shows none."""
    said = normalised(asked.answer)
    if not said or said in _TOLD or gives_up(asked.answer):
        return
    last = max((turn for turn, _ in enumerate(sorted({action.place for action in done}), 1)), default=1)
    shown = " ".join(asked.answer.split())
    right = {normalised(answer) for answer in asked.answers}
    if _copied(said, asked.question) and said not in right:
        yield Sign("copied_answer", last, f"answers {shown!r}, which the question says")
    if not _seen(done, asked):
        yield Sign("unseen_answer", last, f"answers {shown!r}, which stands in nothing that was seen")
    if asked.evidence and not asked.opened & set(asked.evidence):
        yield Sign("unseen_evidence", last, f"answers {shown!r} without any page of the evidence")


def _seen(done: Sequence[Action], asked: Asked) -> bool:
    """Whether what was answered, or an accepted form of it, stood in what a search or a page showed. Numbers and single
    words, which may be worked out or written otherwise, are taken as seen."""
    if len(asked.answer.split()) < _WORDS or any(letter.isdigit() for letter in asked.answer):
        return True
    forms = (asked.answer, *asked.answers)
    shown = [action.seen.casefold() for action in done if action.seen and action.kind in ("search", "visit")]
    if any(form and form.casefold() in text for form in forms for text in shown):
        return True
    plain = [normalised(text) for text in shown]
    return any(_within(normalised(form), text) for form in forms if form for text in plain)


def _copied(said: str, question: str) -> bool:
    if len(said.split()) < _WORDS or _CHOICE.search(question):
        return False
    return _within(said, normalised(question))


def _within(said: str, text: str) -> bool:
    """Whether whole words of a text are what was said."""
    return f" {said} " in f" {text} "
