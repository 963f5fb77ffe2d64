"""`datafactory show` and `datafactory replay` on questions: what was asked, what is right, what was answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.cli.asked import a_question, a_search

Call = Callable[..., Any]
WIDE = {"COLUMNS": "160"}


def lines(printed: str) -> list[str]:
    """Lines as they are read: a table fills its cells with blanks."""
    return [line.rstrip() for line in printed.split("\n")]


async def made(maker: Any) -> None:
    """A run with one question, answered once and once not."""
    await maker.synthesize([maker.task("alpha-00000", "alpha"), asked := a_question("search_paths-00000")])
    await maker.attempts(2, [a_search(asked, "1815"), a_search(asked, None, 1)])


async def test_a_question_is_shown_with_its_answers_and_its_way_there(call: Call, maker: Any) -> None:
    await made(maker)
    shown = call("show", maker.path, "search_paths-00000", **WIDE).stdout
    for line in (
        "corpus      corpus/engines-0123456789ab",
        "In which year was the author of the first published program born?",
        "In which year was Ada born?",
        "1815 | in 1815",
        "2. ada.html  → 1815",
        "   Ada was born in 1815.",
        "   search: Ada year",
        "base: In which year was Ada born?  → 1815  (without a search 6 of 8 were right)",
    ):
        assert line in shown
    assert shown.count("In which year was the author") == 2, "the prompt and the question are one text; so is an edit"
    for word in ("workdir", "image", "checks"):
        assert word not in shown
    assert "\x1b" not in shown


async def test_an_attempt_is_shown_with_what_would_have_been_right(call: Call, maker: Any) -> None:
    await made(maker)
    right = lines(call("show", maker.path, "search_paths-00000/0", **WIDE).stdout)
    place = right.index("answered      1815")
    assert right[place + 1 : place + 4] == [
        "right         1815 | in 1815",
        "pages found   2",
        "pages opened  1, 1 of the 2 that support the answer",
    ]
    nothing = lines(call("show", maker.path, "search_paths-00000/1", **WIDE).stdout)
    assert "answered      (nothing)" in nothing
    row = json.loads(call("show", maker.path, "search_paths-00000/0", "--json").stdout)["record"]
    assert (row["answer"], row["visited"]) == ("1815", ["notes.html"])


async def test_a_replay_ends_with_both_answers(call: Call, maker: Any) -> None:
    await made(maker)
    said = call("replay", maker.path, "search_paths-00000/0", "--all", **WIDE).stdout
    assert said.index("thinks:") < said.index("calls search:") < said.index("search answers:")
    end = lines(said.partition("verdict ")[2])
    assert end[1:4] == ["solved (reward 1); ended: submitted", "answered      1815", "right         1815 | in 1815"]


async def test_a_question_without_an_answer_says_that_this_is_right(call: Call, maker: Any) -> None:
    asked = a_question("search_paths-00001")
    await maker.synthesize([asked.but(question=asked.question.but(answers=()))])
    shown = call("show", maker.path, "search_paths-00001").stdout
    assert "the corpus has no answer, and saying so is right" in shown
