"""Searching within what a student can be trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datafactory.agent import Attempted, Limits, attempt
from datafactory.agent.fit import RECENT
from datafactory.agent.fit_tokens import Meter, Ruler
from datafactory.agent.search import SearchLimits, searching
from datafactory.protocols import Episode
from datafactory.teachers.scripted import ScriptedTeacher
from tests.agent import students
from tests.agent.shelf import Shelf
from tests.agent.test_search_native import TASK, calls

pytestmark = pytest.mark.train
TURNS = 12
REPLIES: dict[str, list[Any]] = {
    "search": [calls(("visit", {"url": ["engine"]})) for _ in range(TURNS)] + [calls(("answer", {"answer": "1791"}))],
    "search-tags": ["<access>engine</access>"] * TURNS + ["<answer>1791</answer>"],
}


async def run(dialect: str, ruler: Ruler) -> tuple[Attempted, str | None]:
    episode = Episode("q-0/0", 1, task=TASK, agent=dialect)
    limits = SearchLimits(page=3000)
    async with ScriptedTeacher(replies=tuple(REPLIES[dialect])).open() as chat:
        talk = searching(TASK, Shelf(), chat, dialect=dialect, limits=limits, episode=episode)
        made = await attempt(talk, chat, limits=Limits(), episode=episode, student=ruler)
    return made, talk.desk.answer


async def needed(dialect: str, folder: Path) -> int:
    """Tokens of the whole attempt."""
    made, _ = await run(dialect, students.student(folder, policy="mark", max_length=100).load(dialect))
    assert made.student_tokens is not None
    return made.student_tokens


@pytest.mark.parametrize("dialect", sorted(REPLIES))
async def test_pages_that_were_read_long_ago_are_shortened_and_the_question_is_answered(
    dialect: str, tmp_path: Path
) -> None:
    length = await needed(dialect, tmp_path) * 2 // 3
    ruler = students.student(tmp_path, policy="compact", max_length=length).load(dialect)
    made, answer = await run(dialect, ruler)
    assert (made.stop, answer) == ("submitted", "1791")
    assert made.student_tokens is not None and made.student_tokens <= length
    assert made.student_tokens == Meter(ruler).count(made.messages, made.tools)
    opening = 2 if dialect == "search" else 1
    read = [message.content for message in made.messages[opening:] if message.role != "assistant"]
    assert "characters left out" in read[0]
    assert all("part 1 of" in text and "characters left out" not in text for text in read[-RECENT:])
    if dialect == "search-tags":
        assert all(text.startswith("<information>") and text.endswith("</information>") for text in read)


@pytest.mark.parametrize("dialect", sorted(REPLIES))
async def test_an_attempt_stops_where_the_next_page_would_not_fit(dialect: str, tmp_path: Path) -> None:
    length = await needed(dialect, tmp_path) // 2
    made, answer = await run(dialect, students.student(tmp_path, max_length=length).load(dialect))
    assert (made.stop, answer) == ("student_limit", None)
    assert made.student_tokens is not None and made.student_tokens <= length
