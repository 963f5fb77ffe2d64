"""Searching with native tool calls."""

from __future__ import annotations

import json
from typing import Any

import pytest

from datafactory.agent import Attempted, Limits, attempt
from datafactory.agent.search import Desk, SearchLimits, searching
from datafactory.errors import ConfigError, SearchError
from datafactory.protocols import Episode
from datafactory.teachers.scripted import ScriptedTeacher
from datafactory.types import UNANSWERABLE, Message, Question, Reply, Source, Task, Usage
from tests.agent.shelf import Shelf
from tests.agent.shelf import desk as desk_of

TASK = Task(
    id="q-0",
    digest="d",
    prompt="When was the man behind the Analytical Engine born?",
    question=Question(corpus=Shelf.corpus, text="When was the man behind the engine born?", answers=("1791",)),
    source=Source(generator="g"),
)


def calls(*named: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    made = [{"id": f"c{n}", "name": name, "arguments": given} for n, (name, given) in enumerate(named)]
    return {"content": "", "tool_calls": made, **more}


async def run(*replies: Any, turns: int = 128, **limits: Any) -> tuple[Attempted, Desk]:
    episode = Episode("q-0/0", 1, task=TASK, agent="search")
    async with ScriptedTeacher(replies=replies).open() as chat:
        conversation = searching(TASK, Shelf(), chat, dialect="search", limits=SearchLimits(**limits), episode=episode)
        return await attempt(conversation, chat, limits=Limits(turns=turns), episode=episode), conversation.desk


async def test_a_question_is_searched_for_read_about_and_answered() -> None:
    made, desk = await run(
        calls(("search", {"query": ["Babbage", "nothing-of-it"]})),
        calls(("visit", {"url": ["babbage"], "goal": "birth"})),
        calls(("answer", {"answer": " 1791 "})),
    )
    assert made.stop == "submitted"
    assert (desk.answer, desk.found, desk.visited) == ("1791", ("babbage",), ("babbage",))
    assert made.messages[1].content == TASK.prompt
    found, page = (message.content for message in made.messages if message.role == "tool")
    assert found == (
        'Results for "Babbage":\n[1] Charles Babbage\n    url: babbage\n    Charles Babbage was born in 1791.\n\n'
        'Results for "nothing-of-it":\nNothing was found; try other words.'
    )
    assert page == "Charles Babbage (babbage):\n\nCharles Babbage was born in 1791.\n\nLinks to: lovelace; engine"
    assert [tool["function"]["name"] for tool in made.tools] == ["search", "visit", "answer"]


async def test_one_query_by_itself_is_taken_as_a_list_and_the_row_shows_the_list() -> None:
    given = ["Babbage", '["Babbage", "Ada"]', "[sic]", "[]", "[1]"]
    made, _ = await run(
        calls(("visit", {"url": "babbage"}), *(("search", {"query": query}) for query in given)),
        calls(("answer", {"answer": "x"})),
    )
    said = made.messages[2]
    assert said.fault is None
    assert [call.arguments for call in said.tool_calls] == [
        {"url": ["babbage"]},
        *({"query": query} for query in (["Babbage"], ["Babbage", "Ada"], ["[sic]"], ["[]"], ["[1]"])),
    ]


async def test_wrong_calls_are_told_apart_and_count_as_faults() -> None:
    wrong = [
        ("search", {}),
        ("search", {"query": [1]}),
        ("search", {"query": ["a"], "topk": 0}),
        ("visit", {"url": ["lovelace"], "part": True}),
        ("answer", {"answer": 3}),
        ("answer", {"answer": "x", "unanswerable": "yes"}),
        ("browse", {}),
    ]
    made, desk = await run(*(calls(call) for call in wrong), {"content": "no call"}, calls(("answer", {"answer": "1"})))
    said = [message for message in made.messages if message.role == "assistant"]
    assert [bool(message.fault) for message in said] == [True] * 8 + [False]
    assert all(message.content.startswith("error: ") for message in made.messages if message.role == "tool")
    assert desk.answer == "1"


async def test_that_there_is_no_answer_can_be_said_in_two_ways() -> None:
    for given in ({"answer": "", "unanswerable": True}, {"answer": "Unanswerable."}):
        assert (await run(calls(("answer", given))))[1].answer == UNANSWERABLE
    assert (await run(calls(("answer", {"answer": "7", "unanswerable": False}))))[1].answer == "7"


async def test_pages_that_are_not_there_and_too_much_at_once_are_answered_with_that() -> None:
    made, desk = await run(
        calls(("visit", {"url": ["nowhere", "lovelace"]})),
        calls(("search", {"query": ["a", "b", "c", "c ", " "]})),
        calls(("search", {"query": [" "]}), ("visit", {"url": []})),
        calls(("answer", {"answer": "1"})),
        queries=2,
    )
    seen = [message.content for message in made.messages if message.role == "tool"]
    assert seen[0].startswith(
        "nowhere: there is no such page in the corpus, or it may not be opened.\n\nAda Lovelace ("
    )
    assert seen[1].endswith("1 more of the queries were not searched for: that is too many at once.")
    assert seen[2:] == ["There was no query to search for.", "There was no url to open."]
    assert desk.visited == ("lovelace",)


async def test_an_agent_may_ask_for_more_passages_up_to_a_bound_and_is_told_when_it_asks_again() -> None:
    shelf = Shelf()
    asked = desk_of(shelf, topk=1)
    one, two, same, most = [await asked.search(["Analytical in Empty"], topk) for topk in (None, 2, 2, 1000)]
    assert [text.count("    url: ") for text in (one, two, same, most)] == [1, 2, 2, 4]
    assert [text.splitlines()[0] for text in (one, two, same)] == [
        'Results for "Analytical in Empty":',
        'Results for "Analytical in Empty":',
        'Results for "Analytical in Empty", the same as before:',
    ]
    assert shelf.topks == [1, 2, 2, 20]


async def test_a_page_without_text_says_so() -> None:
    assert await desk_of().visit(["empty"]) == "Empty (empty):\n\n(no text)"


async def test_a_long_page_comes_in_parts_that_hold_all_of_it() -> None:
    asks = [calls(("visit", {"url": ["engine"], "part": part})) for part in (1, 2, 99)]
    made, _ = await run(calls(("visit", {"url": ["engine"]})), *asks, calls(("answer", {"answer": "1"})), page=6000)
    whole, first, second, last = (message.content for message in made.messages if message.role == "tool")
    assert whole == first
    assert first.startswith("Analytical Engine (engine), part 1 of 2:\n\nPart 0.")
    assert last == second
    assert second.rstrip().endswith("cog")
    assert {f"Part {n}." for n in range(60)} == {f"Part {n}." for n in range(60) if f"Part {n}." in first + second}


async def test_a_long_page_is_summarised_by_the_same_model_and_what_that_costs_is_the_attempts() -> None:
    visits = [{"url": ["engine"], "goal": "its parts"}, {"url": ["engine"], "part": 2}, *[{"url": ["engine"]}] * 3]
    says = [
        json.dumps({"evidence": "cog " * 90, "summary": "It has cogs."}),
        "no JSON",
        '{"summary": " ", "evidence": ""}',
    ]
    asked: list[str] = []

    class Summarising:
        def __init__(self, chat: Any) -> None:
            self.chat = chat

        async def reply(self, messages: Any, *, schema: Any = None, **more: Any) -> Reply:
            if schema is None:
                return await self.chat.reply(messages, **more)
            asked.append(messages[0].content)
            said = Message(role="assistant", content=says[len(asked) - 1])
            return Reply(message=said, usage=Usage(completion_tokens=9))

    episode = Episode("q-0/0", 1, task=TASK, agent="search")
    limits = SearchLimits(page=6000, summarise="long", summaries=3, summary_source=500, summary=200)
    replies = [*(calls(("visit", visit)) for visit in visits), calls(("answer", {"answer": "1"}))]
    async with ScriptedTeacher(replies=replies).open() as scripted:
        chat = Summarising(scripted)
        talk = searching(TASK, Shelf(), chat, dialect="search", limits=limits, episode=episode)
        made = await attempt(talk, chat, limits=Limits(), episode=episode)
    seen = [message.content for message in made.messages if message.role == "tool"]
    assert f"a summary of 2 parts:\n\nIt has cogs.\n\nEvidence: {'cog ' * 50}...\n" in seen[0]
    assert ", part 2 of 2:" in seen[1]
    assert all(", part 1 of 2:" in text for text in seen[2:])  # unreadable, empty, and over the budget
    assert len(asked) == 3
    assert "look for: its parts" in asked[0] and "look for" not in asked[1].replace("looking for", "")
    assert "characters of its end are left out" in asked[0]
    assert made.usage.completion_tokens == 27
    assert made.stop == "submitted"


async def test_an_attempt_may_search_128_times() -> None:
    made, desk = await run(*(calls(("search", {"query": [f"Babbage {n}"]})) for n in range(128)))
    assert made.stop == "turn_limit"
    assert desk.answer is None
    assert sum(message.role == "tool" for message in made.messages) == 128


async def test_a_library_that_breaks_is_ours_and_not_the_attempts() -> None:
    class Broken(Shelf):
        async def retrieve(self, *_: Any, **__: Any) -> Any:
            raise OSError("the disk is gone")

    episode = Episode("q-0/0", 1, task=TASK, agent="search")
    async with ScriptedTeacher(replies=(calls(("search", {"query": ["a"]})),)).open() as chat:
        talk = searching(TASK, Broken(), chat, dialect="search", limits=SearchLimits(), episode=episode)
        with pytest.raises(SearchError, match="the disk is gone"):
            await attempt(talk, chat, limits=Limits(), episode=episode)
        with pytest.raises(ConfigError, match="'tools'"):
            searching(TASK, Shelf(), chat, dialect="tools", limits=SearchLimits(), episode=episode)
