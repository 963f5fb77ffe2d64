"""What a teacher answers becomes a bug or a reject, whatever it is; whom it is asked about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datafactory.protocols import Episode
from datafactory.types import Reject
from generators.swe.rewriting.rewrites import How, rewrite
from generators.swe.rewriting.targets import Target
from generators.swe.swe_llm_bugs import SWELLMBugs, turn
from tests.generators.authored import CannedChat
from tests.generators.swe.basket import BASKET, CHEAPEST


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (CHEAPEST.format("# one too many"), "code_syntax"),
        (CHEAPEST.format("- 1") + "    # BUG: one too few\n", None),
        (CHEAPEST.format("- 1").replace("    if", "    # Off by one.\n    if"), "new_comment"),
        (CHEAPEST.format("- 1").replace("names", "buggy_names"), "tells"),
        (CHEAPEST.format("- 1").replace("    if", "    'intentional'\n    if"), "tells"),
        (CHEAPEST.format("").replace("not most", "most is None"), "no_change"),
        ("def cheapest(prices, most=1):\n    return []", "signature_changed"),
        (f"import os\n{CHEAPEST.format('- 1')}", "not_the_function"),
    ],
)
async def test_an_answer_that_gives_itself_away_is_no_bug(code: str, reason: str | None) -> None:
    chat = CannedChat({"mistake": "m", "code": code})
    asked = Target("basket.py", 4, "cheapest", False)
    got = await rewrite(chat, "modify", asked, BASKET.encode(), "basket", draw=1, episode=Episode("e", 1))
    if reason is None:
        assert not isinstance(got, Reject) and b"BUG" not in got.files["basket.py"]
    else:
        assert isinstance(got, Reject) and got.reason == reason, got
        assert (
            got.what is not None
            and got.what["function"] == "cheapest"
            and code in json.loads(got.what["answer"])["code"]
        )


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "\x00", "[" * 100_000, '{"code": 1}', '{"code": "", "mistake": ""}']
)
async def test_garbage_is_a_reject(answer: str) -> None:
    asked = Target("basket.py", 4, "cheapest", False)
    ways: tuple[How, ...] = ("modify", "rewrite")
    for how in ways:
        chat = CannedChat(answer)
        got = await rewrite(chat, how, asked, BASKET.encode(), "basket", draw=1, episode=Episode("e", 1))
        assert isinstance(got, Reject) and got.reason in ("not_json", "schema", "not_the_function")


def test_every_beginning_of_both_has_its_share_of_either() -> None:
    for share in (0.2, 0.5, 0.9):
        turns = [turn("both", share, number) for number in range(200)]
        for how in ("modify", "rewrite"):
            assert [which for kind, which in turns if kind == how] == list(range(sum(kind == how for kind, _ in turns)))
        for end in range(1, 200):
            assert abs(sum(kind == "modify" for kind, _ in turns[:end]) - share * end) <= 1


def test_sizes_that_nothing_has_are_found_before_the_run(tmp_path: Path) -> None:
    spec = SWELLMBugs.model_validate({"count": 1, "repos": [str(tmp_path)], "least_lines": 9, "most_lines": 3})
    assert spec.asks
    assert any("least_lines" in problem for problem in spec.problems())
