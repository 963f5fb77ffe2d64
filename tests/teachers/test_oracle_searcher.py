"""The oracle as a searcher: what it finds depends on what searching really shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from datafactory.agent import Attempted, Limits, attempt
from datafactory.agent.search import Desk, SearchLimits, searching
from datafactory.answers import grade
from datafactory.errors import TeacherError
from datafactory.protocols import Episode
from datafactory.teachers.oracle.teacher import OracleTeacher
from datafactory.types import UNANSWERABLE, Hit, Hop, Message, Page, Question, Source, Task
from tests.agent.shelf import Shelf

HOPS = (
    Hop(url="lovelace", statement="Ada Lovelace wrote notes.", finds="Ada Lovelace", queries=("countess", "notes")),
    Hop(url="babbage", statement="Babbage was born in 1791.", finds="1791", queries=("Charles Babbage born",)),
)


def task(*answers: str, hops: Sequence[Hop] = HOPS) -> Task:
    asked = Question(corpus=Shelf.corpus, text="Whose friend wrote notes, and when was he born?", answers=answers)
    source = Source(generator="g")
    return Task(id="q", digest="d", prompt=asked.text, question=asked.but(hops=tuple(hops)), source=source)


async def walk(
    asked: Task, *, agent: str = "search", seed: int = 1, slip: float = 0.0, shelf: Any = None
) -> tuple[Attempted, Desk]:
    episode = Episode("q/0", seed, task=asked, agent=agent)
    async with OracleTeacher(slip=slip).open() as chat:
        talk = searching(asked, shelf or Shelf(), chat, dialect=agent, limits=SearchLimits(page=6000), episode=episode)
        return await attempt(talk, chat, limits=Limits(), episode=episode), talk.desk


@pytest.mark.parametrize("agent", ["search", "search-tags"])
async def test_it_walks_the_evidence_and_answers_in_both_dialects(agent: str) -> None:
    asked = task("1791")
    for seed in range(8):
        made, desk = await walk(asked, agent=agent, seed=seed, slip=0.5)
        assert made.stop == "submitted"
        assert not any(message.fault for message in made.messages)
        assert made.model == "oracle"
        assert asked.question is not None
        verdict = grade(asked.question, desk.answer, found=desk.found, visited=desk.visited)
        assert verdict.solved
        assert set(desk.visited) >= {"lovelace", "babbage"}


async def test_a_query_that_finds_nothing_is_followed_by_the_next() -> None:
    shelf = Shelf()
    made, _ = await walk(task("1791"), shelf=shelf)
    assert shelf.queries[:2] == ["countess", "notes"]
    said = [message.model_dump_json() for message in made.messages if message.role == "assistant"]
    assert "Ada Lovelace wrote notes." in "".join(said)
    assert "1791" in said[-1]
    assert "1791" not in "".join(said[:-1])  # nothing is known before it was read, not by what is looked for either


class Narrow(Shelf):
    """Never finds one of the pages."""

    def __init__(self, *hidden: str) -> None:
        super().__init__()
        self.hidden = hidden

    async def retrieve(self, queries: Sequence[str], *, topk: int = 5) -> list[list[Hit]]:
        found = await super().retrieve(queries, topk=topk)
        return [[hit for hit in hits if hit.url not in self.hidden] for hits in found]


async def test_what_no_search_shows_is_reached_by_a_link_or_not_at_all() -> None:
    _, by_link = await walk(task("1791"), shelf=Narrow("babbage"))
    assert (by_link.answer, by_link.visited) == ("1791", ("lovelace", "babbage"))
    answers = {
        (await walk(task("1791"), shelf=Narrow("lovelace", "babbage"), seed=seed))[1].answer for seed in range(9)
    }
    assert "1791" not in answers
    assert UNANSWERABLE in answers


async def test_a_page_that_may_not_be_opened_tells_nothing() -> None:
    class Shut(Shelf):
        async def access(self, urls: Sequence[str]) -> list[Page | None]:
            return [None] * len(urls)

    made = [await walk(task("1791"), seed=seed, shelf=Shut()) for seed in range(6)]
    assert "1791" not in {desk.answer for _, desk in made}
    assert not any("wrote notes." in m.content for done, _ in made for m in done.messages if m.role == "assistant")


@pytest.mark.parametrize("agent", ["search", "search-tags"])
async def test_a_page_is_read_part_by_part_until_it_tells_what_it_should(agent: str) -> None:
    hop = Hop(url="engine", statement="It has a Part 59.", finds="Part 59", queries=("Analytical Engine",))
    made, desk = await walk(task("Part 59", hops=[hop]), agent=agent)
    assert desk.answer == "Part 59"
    parts = [message.content for message in made.messages if "part 2 of 2" in message.content]
    assert len(parts) == 1 and "Part 59" in parts[0]


async def test_a_question_without_an_answer_is_searched_for_all_the_same() -> None:
    shelf = Shelf()
    _, desk = await walk(task(), shelf=shelf)
    assert desk.answer == UNANSWERABLE
    assert desk.visited == ("lovelace", "babbage")
    assert len(shelf.queries) > 3


async def test_slips_make_attempts_differ_and_the_same_seed_gives_the_same_attempt() -> None:
    made = {seed: (await walk(task("1791"), seed=seed, slip=0.9))[0].messages for seed in range(6)}
    assert len(set(map(len, made.values()))) > 1
    assert (await walk(task("1791"), seed=3, slip=0.9))[0].messages == made[3]


async def test_it_answers_in_no_other_dialect_and_writes_no_summaries() -> None:
    asked = task("1791")
    question = [Message(role="user", content="q")]
    async with OracleTeacher().open() as chat:
        with pytest.raises(TeacherError, match="answers a question by search or search-tags, not by 'tools'"):
            await chat.reply(question, episode=Episode("q/0", 1, task=asked, agent="tools"))
        with pytest.raises(TeacherError, match="names no pages that lead to its answer"):
            await chat.reply(question, episode=Episode("q/0", 1, task=task("1791", hops=()), agent="search"))
        episode = Episode("q/0", 1, task=asked, agent="search")
        said = await chat.reply(question, schema={"type": "object"}, episode=episode)
    assert (said.message.content, said.message.tool_calls, said.model) == ("", (), "oracle")
