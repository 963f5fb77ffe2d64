"""Searching in ASearcher's tags."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafactory.agent import Attempted, Limits, attempt
from datafactory.agent.search import Desk, SearchLimits, TaggedSearch, searching
from datafactory.agent.search.parts import parts, shortened
from datafactory.agent.search.tags import ACTIONS, STOPS, Said, harmless, read
from datafactory.protocols import Episode
from datafactory.teachers.scripted import ScriptedTeacher
from datafactory.types import Reply
from tests.agent.shelf import Shelf
from tests.agent.shelf import desk as desk_of
from tests.agent.test_search_native import TASK


async def run(*replies: Any, turns: int = 20) -> tuple[Attempted, Desk]:
    episode = Episode("q-0/0", 1, task=TASK, agent="search-tags")
    limits = SearchLimits(page=6000)
    async with ScriptedTeacher(replies=replies).open() as chat:
        conversation = searching(TASK, Shelf(), chat, dialect="search-tags", limits=limits, episode=episode)
        return await attempt(conversation, chat, limits=Limits(turns=turns), episode=episode), conversation.desk


async def test_a_question_is_answered_one_action_a_turn() -> None:
    made, desk = await run(
        "<think>Who was it?</think>\n<search>Charles\nBabbage</search>",
        "<think>There.</think><access>babbage</access>",
        "<access>engine 2</access>",
        "<answer>1791</answer>",
    )
    assert (made.stop, desk.answer, desk.visited) == ("submitted", "1791", ("babbage", "engine"))
    assert made.tools == ()
    seen = [message.content for message in made.messages if message.role == "user"]
    assert seen[1].startswith('<information>\nResults for "Charles Babbage":\n[1] Charles Babbage')
    assert seen[2].endswith("Links to: lovelace; engine\n</information>")
    assert "part 2 of 2" in seen[3]
    assert not any(message.fault for message in made.messages)


async def test_what_a_model_makes_up_after_its_action_is_cut_off_and_a_fault() -> None:
    made, desk = await run(
        "<search>Babbage</search>\n<information>He was born in 1815.</information>\n<answer>1815</answer>",
        "<information>1815</information><answer>1815</answer>",
        "<answer>1791</answer>",
    )
    said = [message for message in made.messages if message.role == "assistant"]
    assert [message.content for message in said] == ["<search>Babbage</search>", "", "<answer>1791</answer>"]
    assert [message.fault for message in said] == [
        "it went on after </search>",
        "it made up what a search gives",
        None,
    ]
    assert desk.answer == "1791"


async def test_a_page_cannot_speak_for_the_agent_or_close_the_information() -> None:
    made, desk = await run("<access>odd</access>", "<answer>unanswerable</answer>")
    page = made.messages[2].content
    assert page.count("</information>") == 1
    assert page.endswith("</information>")
    assert "< search>lovelace< /search>" in page.replace("</ ", "< /")
    assert desk.answer == "unanswerable"


@pytest.mark.parametrize(
    ("text", "stopped_by", "action", "words", "fault"),
    [
        ("<search>a b", "</search>", "search", "a b", ""),
        ("<search>a b</search>", "</search>", "search", "a b", ""),
        ("<think>if <search>no</search></think><answer>x</answer>", "", "answer", "x", ""),
        ("<search>first <access>u</access>", "", "access", "u", "<search> is not closed"),
        ("if <search>no</search> or </think><answer>x</answer>", "", "answer", "x", ""),
        ("<search>a <information>b</information></search>", "", "", "", "it made up what a search gives"),
        ("<search>a <information>b</information><answer>b</answer>", "", "", "", "it made up what a search gives"),
        ("<think>what <information> is</think><answer>x</answer>", "", "answer", "x", ""),
        ("<search>  </search>", "", "search", "", "<search> is empty"),
        ("<think>on and on", "", "", "", "<think> is not closed"),
        ("<answer>x", "", "", "", "<answer> is not closed"),
        ("I know it.", "", "", "", "there is no <search>, <access> or <answer> in it"),
        ("</think> <answer>x</answer> ", "", "answer", "x", ""),
    ],
)
def test_the_first_whole_action_outside_of_thoughts_counts(
    text: str, stopped_by: str, action: str, words: str, fault: str
) -> None:
    said = read(text, stopped_by)
    assert (said.action, said.words, said.fault) == (action, words, fault)


PIECES = st.lists(
    st.sampled_from([f"<{'/' * close}{tag}>" for tag in (*ACTIONS, "think", "information") for close in (0, 1)] + ["x"])
    | st.text(max_size=4),
    max_size=12,
).map("".join)


def test_a_result_that_was_made_up_in_an_endless_thought_does_not_stay() -> None:
    said = read("<think>So <search>a</search> <information>b</information> <answer>b</answer>")
    assert said == Said(kept="<think>So <search>a</search>", fault="<think> is not closed")


async def test_a_page_whose_url_ends_in_a_number_is_opened_and_no_part_of_another() -> None:
    made, desk = await run(
        "<access>engine 59</access>", "<access>engine 2</access>", "<access>no 7</access>", "<answer>x</answer>"
    )
    seen = [message.content for message in made.messages[2::2]]
    assert "Engine No. 59 (engine 59):" in seen[0]
    assert "Analytical Engine (engine), part 2 of 2:" in seen[1]
    assert "no 7: there is no such page" in seen[2]
    assert desk.visited == ("engine 59", "engine")


async def test_log_probabilities_stay_with_the_text_that_they_belong_to() -> None:
    logprobs = {"tokens": ["<search>", "a", "</search>"], "chosen": [-0.1, -0.2, -0.3]}
    said = [
        {"message": {"role": "assistant", "content": "<search>a", "logprobs": logprobs}, "stopped_by": "</search>"},
        {"message": {"role": "assistant", "content": "<search>a</search> so", "logprobs": logprobs}},
    ]
    turns = [await TaggedSearch(TASK, desk_of()).take(Reply(**reply), seconds=1, left=1) for reply in said]
    assert [turn.message.content for turn in turns] == ["<search>a</search>"] * 2
    assert [turn.message.logprobs is not None for turn in turns] == [True, False]


async def test_an_attempt_may_search_128_times_in_tags() -> None:
    made, desk = await run(*(f"<search>Babbage x{n % 100}</search>" for n in range(128)), turns=128)
    assert (made.stop, desk.answer, desk.found) == ("turn_limit", None, ("babbage",))
    seen = [message.content for message in made.messages if message.role == "user"][1:]
    assert [", the same as before:" in text for text in seen] == [n >= 100 for n in range(128)]


@given(PIECES, st.sampled_from(("", *STOPS)))
def test_whatever_is_said_is_read_once_and_then_stays_as_it_is(text: str, stopped_by: str) -> None:
    said = read(text, stopped_by)
    assert (text + stopped_by).startswith(said.kept.rstrip()[: len(text)].rstrip())
    again = read(said.kept)
    assert (again.action, again.words, again.kept) == (said.action, said.words, said.kept)
    assert said.action or said.fault


@given(PIECES)
def test_no_action_can_be_read_out_of_a_text_of_the_corpus(text: str) -> None:
    assert read(harmless(text)).action == ""


@given(st.text(alphabet="ab \n", max_size=300), st.integers(min_value=1, max_value=50))
def test_parts_hold_all_of_a_page_in_its_order(text: str, most: int) -> None:
    made = parts(text, most)
    assert "".join("".join(made).split()) == "".join(text.split())
    assert all(len(part) <= most for part in made)
    assert all(part for part in made[:-1])


@given(st.text(alphabet="ab \n", max_size=300), st.integers(min_value=1, max_value=50))
def test_a_passage_is_cut_to_length(text: str, most: int) -> None:
    assert len(shortened(text, most)) <= most + len(" ...")
