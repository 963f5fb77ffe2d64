"""Questions that a teacher composes, through every branch of the agent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datafactory.answers import prove_question
from datafactory.corpora.sources.jsonl import Jsonl
from datafactory.errors import ConfigError
from datafactory.protocols import Slot
from datafactory.stages.live import NoBoxes
from datafactory.types import Draft, Edit, Reject
from generators.search.composing.memory import Memory, Read
from generators.search.search_agent import SearchAgent
from tests.generators.search_agent.author import GOOD, Author

LONG = "It says a lot about many things. " * 5
PAGES = [
    {"url": "ada", "title": "Ada Lovelace", "contents": f"Ada wrote notes. {LONG}", "links": ["babbage", "byron"]},
    {"url": "babbage", "title": "Charles Babbage", "contents": f"He met Ada. {LONG}", "links": ["stub"]},
    {"url": "byron", "title": "Lord Byron", "contents": f"A poet. {LONG}", "links": ["stub"]},
    {"url": "stub", "title": "Stub", "contents": "Short.", "links": ["ada"]},
]


def chosen(action: str, target: str = "", question: str = "") -> dict[str, str]:
    return {"note": f"to {action}", "action": action, "target": target, "question": question}


def composed(question: str = "", answer: str = "Analytical Engine") -> dict[str, str]:
    said = GOOD["Composed"]
    return {**said, "question": question or said["question"], "answer": answer}


INJECT = chosen("inject", "ada")
ENDS: dict[str, Any] = {"Choice": [INJECT, chosen("exit")], "Composed": composed()}
"""A base question, one page injected, done."""


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Try one slot of a corpus in which a single page can be asked about."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "pages.jsonl"

    async def made(author: Author | None, rows: Any = PAGES, slot: Slot | None = None, **keys: Any) -> Draft | Reject:
        path.write_text("\n".join(map(json.dumps, rows)))
        fields = {"count": 1, "samples": 3, "turns": 4, "fewest": 100, **keys}
        spec = SearchAgent(corpus=Jsonl(files=(path,), name="few"), **fields)
        async with spec.open(NoBoxes()) as maker:
            return await maker.make(slot or Slot(0, 0, 5), author)

    return made


async def test_a_question_is_blurred_injected_and_finished(make: Any) -> None:
    blurred = "Which device did a countess write about?"
    choices = [chosen("fuzz", question=blurred), INJECT, chosen("exit")]
    author = Author(**{**ENDS, "Choice": choices})
    draft = await make(author, ADA)
    assert isinstance(draft, Draft), draft
    asked = draft.question
    assert asked is not None
    assert (draft.prompt, asked.answers, asked.plain) == (
        composed()["question"],
        ("Analytical Engine",),
        "Which engine did she write notes on?",
    )
    assert [(edit.action, edit.correct, edit.samples) for edit in asked.history] == [
        ("base", 0, 3),
        ("fuzz", 0, 3),
        ("inject", 0, 3),
    ]
    assert asked.history[1].question == blurred
    assert [hop.url for hop in asked.hops] == [asked.history[2].url, asked.history[0].url]
    assert asked.hops[-1].finds == "Analytical Engine"
    relevant = asked.facts["relevant"]
    assert set(relevant[0]) == {"name", "url", "summary", "information_points", "relevant_links"}
    assert [page["url"] for page in relevant] == [asked.history[0].url, asked.history[2].url]
    assert (draft.domain, draft.source.model, draft.source.facts["hops"]) == ("search", "author", 2)
    assert draft.source.facts["tokens"]["completion_tokens"] == len(author.asked)
    assert prove_question(asked) is None


async def test_every_request_has_a_seed_of_its_own_and_a_second_try_asks_the_same(make: Any) -> None:
    first, again, other = Author(**ENDS), Author(**ENDS), Author(**ENDS)
    one, two = await make(first, PAGES), await make(again, PAGES)
    assert one == two
    await make(other, PAGES, slot=Slot(0, 1, 6))
    assert again.asked == first.asked
    assert len({seed for _, _, seed in first.asked}) == len(first.asked)
    assert not {seed for _, _, seed in first.asked} & {seed for _, _, seed in other.asked}
    assert first.kinds.count("ByHeart") % 3 == 0


BASE = [
    ("Notes", "no JSON", "not_json"),
    ("Notes", {"summary": "s", "points": []}, "schema"),
    ("Asked", {"question": "q"}, "schema"),
    ("Asked", {"question": "Who built the analytical engine?", "answer": "Analytical Engine", "statement": "s"}, None),
    ("Validity", "yes", "not_json"),
    ("ByHeart", "ENIAC", "not_json"),
    ("Alternative", "yes", "not_json"),
    ("Alternative", {"reasoning": "It does.", "also_right": True}, "other_answer"),
]


@pytest.mark.parametrize(("kind", "said", "reason"), BASE)
async def test_a_base_question_that_fails_a_check_ends_the_try(make: Any, kind: str, said: Any, reason: str) -> None:
    made = await make(Author(**{**ENDS, kind: said}))
    assert isinstance(made, Reject)
    assert made.reason == (reason or "answer_in_question")


@pytest.mark.parametrize("broken", ["one_question", "right", "unique", "supported"])
async def test_each_of_the_four_criteria_is_held_to(make: Any, broken: str) -> None:
    made = await make(Author(**{**ENDS, "Validity": {**GOOD["Validity"], broken: False}}))
    assert (made.reason, made.detail) == ("not_valid", f"{broken}: r")


CHANGES = [
    ({"Choice": "nonsense"}, "not_json"),
    ({"Choice": chosen("dance")}, "schema"),
    ({"Choice": chosen("exit")}, "not_ready"),
    ({"Choice": chosen("fuzz")}, "unchanged"),
    ({"Choice": chosen("fuzz", question="What is the Analytical Engine?")}, "answer_in_question"),
    ({"Choice": chosen("inject", "nowhere")}, "no_such_target"),
    ({"Notes": [GOOD["Notes"], "no"]}, "not_json"),
    ({"Asked": [GOOD["Asked"], {"question": "q", "answer": "Somebody", "statement": "s"}]}, "link_answer"),
    ({"Covered": {"reasoning": "r", "covered": True}}, "nothing_new"),
    ({"Covered": "no"}, "not_json"),
    ({"Composed": "no"}, "not_json"),
    ({"Composed": composed(answer="ENIAC")}, "answer_changed"),
    ({"Composed": composed("What did Ada Lovelace write on?")}, "names_the_link"),
    ({"Validity": [GOOD["Validity"], {**GOOD["Validity"], "unique": False}]}, "not_valid"),
]


@pytest.mark.parametrize(("says", "reason"), CHANGES)
async def test_a_change_that_fails_is_discarded_and_the_question_stays(make: Any, says: Any, reason: str) -> None:
    made = await make(Author(**{**ENDS, "Choice": INJECT, **says}), ADA, turns=1)
    assert isinstance(made, Reject)
    assert (made.reason, made.detail) == ("too_few_pages", f"1 of 2 pages; discarded: {reason} 1")
    assert made.what is not None
    assert [edit["action"] for edit in made.what["history"]] == ["base"]


ADA = [PAGES[0], {**PAGES[1], "links": []}, {**PAGES[2], "links": []}]
"""Nothing but Ada's page can begin."""


async def test_a_page_that_was_tried_is_not_tried_again(make: Any) -> None:
    author = Author(**{**ENDS, "Choice": INJECT, "Covered": {"reasoning": "r", "covered": True}})
    made = await make(author, ADA, turns=4)
    assert made.detail == "1 of 2 pages; discarded: nothing_new 2, no_links_left 2"
    offered = [prompt for kind, prompt, _ in author.asked if kind == "Choice"]
    assert ['- "inject"' in prompt for prompt in offered] == [True, True, False, False]


async def test_a_question_that_is_known_by_heart_is_too_easy_and_may_not_end(make: Any) -> None:
    easy = {"reasoning": "r", "answer": "the analytical engine"}
    author = Author(**{**ENDS, "ByHeart": easy})
    made = await make(author, ADA, turns=3)
    assert made.reason == "too_easy"
    assert made.detail == "3 of 3 answers by heart are right; discarded: not_ready 2"
    assert not {"Word", "Alternative"} & set(author.kinds)  # exact matches need no judge
    assert '"exit"' not in "".join(prompt for kind, prompt, _ in author.asked if kind == "Choice")
    assert isinstance(await make(Author(**{**ENDS, "ByHeart": easy}), ADA, accept=3), Draft)


async def test_a_judge_may_call_another_wording_right_and_each_wrong_answer_is_looked_at_once(make: Any) -> None:
    answers = [{"reasoning": "r", "answer": said} for said in ("Babbage's machine", "ENIAC", "eniac.")]
    author = Author(
        **{
            **ENDS,
            "ByHeart": answers * 4,
            "Word": lambda prompt: {"reasoning": "r", "correct": "judged: Babbage" in prompt},
        }
    )
    made = await make(author, ADA, accept=1)
    assert isinstance(made, Draft), made
    assert [edit.correct for edit in made.question.history] == [1, 1]
    assert (author.kinds.count("Word"), author.kinds.count("Alternative")) == (4, 2)


async def test_what_cannot_be_read_is_no_sign_of_a_hard_question(make: Any) -> None:
    blank, guess = {"reasoning": "r", "answer": ""}, GOOD["ByHeart"]
    once = Author(**{**ENDS, "ByHeart": [guess, "no JSON", guess, blank, *[guess] * 9]})
    made = await make(once, ADA)
    assert [edit.correct for edit in made.question.history] == [0, 0]
    assert once.kinds.count("ByHeart") == 8  # three each, and two that were asked for once more
    for said, reason in (("no JSON", "not_json"), (blank, "schema")):
        made = await make(Author(**{**ENDS, "ByHeart": [guess, *[said] * 9]}), ADA)
        assert (made.reason, "search_by_heart" in made.detail) == (reason, True)
    made = await make(Author(**{**ENDS, "Word": "Incorrect"}), ADA)
    assert (made.reason, made.detail) == ("not_judged", "the teacher did not say whether 'ENIAC' is right")


async def test_a_name_that_was_described_away_may_not_come_back(make: Any) -> None:
    back = chosen("fuzz", question="Which machine did Ada Lovelace describe?")
    made = await make(Author(**{**ENDS, "Choice": [INJECT, back]}), ADA, turns=2, pages=3)
    assert made.detail == "2 of 3 pages; discarded: names_the_link 1"


async def test_a_question_that_was_ready_is_not_lost_to_a_later_change(make: Any) -> None:
    plain = chosen("fuzz", question="Which machine with cogs is it?")
    known = {"reasoning": "r", "answer": "analytical engine"}
    says = {**ENDS, "Choice": [INJECT, plain], "ByHeart": [*[GOOD["ByHeart"]] * 6, known]}
    made = await make(Author(**says), ADA, turns=2)
    assert [edit.action for edit in made.question.history] == ["base", "inject"]


def test_queries_leave_out_a_name_and_no_part_of_a_word() -> None:
    page = Read("c", "C", "", (), (), statement="C compiles Common C code.", finds="C")
    memory = Memory("q", "a", (page,), (Edit(action="base", question="q", answer="a"),))
    assert memory.record("corpus/c", [], {}).hops[0].queries[0] == "compiles Common code."


async def test_a_corpus_without_a_page_to_ask_about_says_so(make: Any) -> None:
    made = await make(Author(), [{**PAGES[0], "links": []}])
    assert (made.reason, "100 characters" in made.detail) == ("no_root", True)
    with pytest.raises(ConfigError, match="name one under 'teacher:'"):
        await make(None)
    with pytest.raises(ValueError, match="accept: 4 is more than samples"):
        await make(Author(), accept=4)
