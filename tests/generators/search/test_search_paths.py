"""The generator `search_paths`: proved, closed, the same each time, honest about what it is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from datafactory.corpora import Corpus
from datafactory.corpora.sources.jsonl import Jsonl
from datafactory.protocols import Maker, Slot
from datafactory.registry import Problem, build
from datafactory.stages.live import NoBoxes
from datafactory.types import Draft, Reject
from generators.search.search_paths import SearchPaths

COUNT = 30


@pytest.fixture(scope="module")
def made(source: Jsonl, corpus: Corpus) -> list[Draft]:
    import asyncio

    return [each for each in asyncio.run(drafts(SearchPaths(corpus=source, count=COUNT))) if isinstance(each, Draft)]


async def drafts(spec: SearchPaths) -> list[Draft | Reject]:
    found: list[Draft | Reject] = []
    async for maker in opened(spec):
        for index in range(spec.count):
            found.append(await maker.make(Slot(index, 0, 1000 + index), None))
    return found


async def opened(spec: SearchPaths) -> AsyncIterator[Maker]:
    async with spec.open(NoBoxes()) as maker:
        yield maker


def test_questions_are_made(made: list[Draft]) -> None:
    assert len(made) >= 8
    assert {draft.domain for draft in made} == {"search"}
    assert all(draft.source.model == "" for draft in made)
    assert all(edit.action == "embedded" for draft in made if draft.question for edit in draft.question.history)


def test_an_answer_stands_on_the_last_page_and_not_in_the_question(made: list[Draft], corpus: Corpus) -> None:
    answered = 0
    for draft in made:
        question = draft.question
        assert question is not None and question.corpus == corpus.name and draft.prompt == question.text
        if question.answers:
            number = corpus.number(question.hops[-1].url)
            assert number is not None
            page = corpus.page(number)
            assert any(answer in f"{page.title} {page.text}" for answer in question.answers)
            assert question.hops[-1].finds == question.answer
            answered += 1
        for answer in question.answers:
            assert not re.search(rf"\b{re.escape(answer)}\b", question.text)
    assert answered >= 5


def test_an_obfuscated_question_names_nothing_on_the_way(made: list[Draft]) -> None:
    for draft in made:
        assert draft.question is not None
        for hop in draft.question.hops:
            assert hop.url not in draft.question.text.split()
    chains = [
        draft.question for draft in made if draft.question and draft.question.plain and len(draft.question.hops) > 1
    ]
    assert chains and all(any(hop.url in q.plain for hop in q.hops) for q in chains)


def test_no_two_questions_ask_for_the_same(made: list[Draft]) -> None:
    asked = [(d.question.hops[-1].url, str(d.question.facts["asks"])) for d in made if d.question]
    assert len(set(asked)) == len(asked)


def test_every_constraint_is_recorded_with_its_quote(made: list[Draft], corpus: Corpus) -> None:
    for draft in made:
        assert draft.question is not None
        facts = draft.question.facts
        for constraint in facts["constraints"]:
            assert constraint["of"] in facts["witness"]
            assert "to" in constraint or constraint["values"]
        ties = [each for each in facts["constraints"] if "to" in each]
        assert len(draft.question.hops) == len(facts["witness"]) >= 2 and ties


async def test_the_same_slot_gives_the_same_question(source: Jsonl, corpus: Corpus) -> None:
    spec = SearchPaths(corpus=source, count=6)
    assert await drafts(spec) == await drafts(spec)


async def test_a_share_has_no_answer(source: Jsonl, corpus: Corpus) -> None:
    found = await drafts(SearchPaths(corpus=source, count=COUNT, unanswerable=1.0))
    none = [each.question for each in found if isinstance(each, Draft) and each.question and not each.question.answers]
    assert none
    for question in none:
        assert question.facts["proof"]["fitting"] == 0
        assert question.answer == "unanswerable" and question.hops[-1].finds == ""
        assert question.facts["unanswerable"]["value"] in question.text


async def test_when_all_was_asked_the_slot_is_given_up_for_good(source: Jsonl, corpus: Corpus) -> None:
    async with SearchPaths(corpus=source, count=1).open(NoBoxes()) as maker:
        last = await maker.make(Slot(0, 10_000, 1), None)
    assert isinstance(last, Reject) and last.reason == "no_more_facts" and last.final


def test_mistakes_are_named() -> None:
    problems: list[Problem] = []
    build(
        "generator",
        {"use": "search_paths", "corpus": {"use": "jsonl", "files": ["x"]}, "count": 1, "hops": [3, 9]},
        (),
        problems,
    )
    assert "hops" in str(problems[0])
