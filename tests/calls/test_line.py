"""A line: what makes two requests the same, what repeats on it, and when an answer is handed on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from datafactory.calls import CALLS, Account, Budget, Ledger, Line
from datafactory.errors import BudgetSpent, TeacherError
from datafactory.protocols import Episode
from datafactory.types import Logprobs, Message, Reply, ToolCall, Usage

TOOLS = ({"type": "function", "function": {"name": "bash"}},)
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


class Voice:
    """A teacher and its chat: answers with the number of the call."""

    name = "voice"

    def __init__(self, *, fails: int = 0) -> None:
        self.asked = 0
        self.fails = fails
        self.told: asyncio.Event | None = None

    async def connect(self) -> Voice:
        return self

    def sampling(self) -> dict[str, Any]:
        return {}

    def open(self) -> Any:
        raise NotImplementedError

    async def reply(self, messages: Any, *, tools: Any = (), schema: Any = None, episode: Any = None) -> Reply:
        self.asked += 1
        number = self.asked
        if self.told is not None:
            await self.told.wait()
        if number <= self.fails:
            raise TeacherError("503")
        said = Message(role="assistant", content=str(number))
        return Reply(message=said, usage=Usage(prompt_tokens=10, completion_tokens=5))


class Talk:
    """Lines of one voice and one account."""

    def __init__(self, account: Account | None, voice: Voice | None = None) -> None:
        self.account = account
        self.voice = voice or Voice()

    def line(self, scope: str = "ask:one", recipe: str = "r") -> Line:
        return Line(self.voice, self.voice.connect, scope=scope, recipe=recipe, account=self.account)


def user(text: str = "hello", **more: Any) -> Message:
    return Message(role="user", content=text, **more)


async def said(line: Line, *messages: Message, **more: Any) -> str:
    return (await line.reply(messages or (user(),), **more)).message.content


async def test_asking_twice_on_one_line_gives_two_answers_and_a_new_line_gives_them_again(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        talk = Talk(Account(ledger))
        line = talk.line()
        assert [await said(line) for _ in range(3)] == ["1", "2", "3"]
        again = talk.line()
        assert [await said(again) for _ in range(4)] == ["1", "2", "3", "4"]
        assert talk.voice.asked == 4
    async with Ledger(tmp_path / CALLS) as ledger:
        later = Talk(Account(ledger))
        replayed = later.line()
        assert [await said(replayed) for _ in range(4)] == ["1", "2", "3", "4"]
        assert (later.voice.asked, later.account.found if later.account else None) == (0, 4)


async def test_requests_at_the_same_time_on_one_line_are_told_apart(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        talk = Talk(Account(ledger))
        line = talk.line()
        first = await asyncio.gather(*(said(line) for _ in range(5)))
        again = talk.line()
        assert await asyncio.gather(*(said(again) for _ in range(5))) == first
        assert sorted(first) == ["1", "2", "3", "4", "5"]


CALLED = Message(role="assistant", tool_calls=(ToolCall(id="c", name="bash", arguments={"a": 1}),))
SHAPES: list[dict[str, Any]] = [
    {"messages": (user("other"),)},
    {"messages": (user(), user())},
    {"messages": (Message(role="system", content="hello"),)},
    {"messages": (user(), CALLED)},
    {"messages": (user(), CALLED.but(tool_calls=(CALLED.tool_calls[0].but(arguments={"a": "1"}),)))},
    {"messages": (user(), Message(role="assistant", reasoning_content="hm"))},
    {"messages": (user("half \ud83d"),)},
    {"tools": TOOLS},
    {"schema": SCHEMA},
    {"episode": Episode("e", seed=1)},
    {"episode": Episode("e", seed=2)},
    {"scope": "ask:two"},
    {"recipe": "another"},
    {},
]


async def test_whatever_shapes_an_answer_makes_another_request(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        talk = Talk(Account(ledger))
        for shape in SHAPES:
            rest = dict(shape)
            line = talk.line(rest.pop("scope", "ask:one"), rest.pop("recipe", "r"))
            await said(line, *rest.pop("messages", (user(),)), **rest)
        assert talk.voice.asked == len(SHAPES)


async def test_what_shapes_no_answer_makes_none(tmp_path: Path) -> None:
    logprobs = Logprobs(tokens=("a",), chosen=(-0.5,))
    answer = Message(role="assistant", content="a")
    same: list[dict[str, Any]] = [
        {"messages": (user(), answer)},
        {"messages": (user(), answer.but(fault="unparsed", logprobs=logprobs))},
        {"messages": (user(), answer), "tools": []},
    ]
    ordered = [{"type": "object", "x": {"a": 1, "b": 2}}, {"x": {"b": 2, "a": 1}, "type": "object"}]
    seeds = [Episode("one", seed=3), Episode("two", seed=3)]
    async with Ledger(tmp_path / CALLS) as ledger:
        talk = Talk(Account(ledger))
        for shape in same:
            assert await said(talk.line(), *shape.pop("messages"), **shape) == "1"
        for schema in ordered:
            assert await said(talk.line(), schema=schema) == "2"
        for episode in seeds:
            assert await said(talk.line(), episode=episode) == "3"


async def test_a_history_that_was_changed_behind_is_seen(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        talk = Talk(Account(ledger))
        line = talk.line()
        history = [user("a"), user("b"), user("c")]
        assert await said(line, *history) == "1"
        assert await said(line, history[0], user("compacted"), history[2]) == "2"
        assert await said(line, *history[:2]) == "3"
        fresh = talk.line()
        assert await said(fresh, *history[:2]) == "3"
        assert await said(fresh, *history) == "1"


async def test_an_answer_is_handed_on_only_once_it_is_on_disk(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        line = Talk(Account(ledger)).line()
        for number in range(1, 6):
            await said(line)
            assert ledger.spending().total.calls == number


async def test_an_answer_that_did_not_come_is_not_kept_and_costs_nothing(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        account = Account(ledger)
        talk = Talk(account, Voice(fails=2))
        for _ in range(2):
            with pytest.raises(TeacherError):
                await said(talk.line())
        assert (account.spent.calls, account.in_flight) == (0, 0)
        assert await said(talk.line()) == "3"
        assert account.spent.calls == 1


async def test_without_an_account_nothing_is_kept(tmp_path: Path) -> None:
    talk = Talk(None)
    assert [await said(talk.line()), await said(talk.line())] == ["1", "2"]
    assert list(tmp_path.iterdir()) == []


async def test_what_is_in_the_ledger_needs_no_teacher_and_no_budget(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        await said(Talk(Account(ledger)).line())
        account = Account(ledger, Budget(calls=1))

        async def gone() -> Voice:
            raise TeacherError("nobody is there")

        line = Line(Voice(), gone, scope="ask:one", recipe="r", account=account)
        assert await said(line) == "1"
        with pytest.raises(BudgetSpent, match=r"budget\.calls is spent: 1 of 1"):
            await said(line)
        with pytest.raises(TeacherError, match="nobody is there"):
            await said(Line(Voice(), gone, scope="ask:two", account=Account(ledger)))


@pytest.mark.parametrize("kept", [True, False])
async def test_an_answer_says_how_long_it_took_without_the_wait_for_the_teacher_and_again_when_replayed(
    tmp_path: Path, kept: bool
) -> None:
    voice = Voice()

    async def late() -> Voice:
        await asyncio.sleep(1.0)
        return voice

    async with Ledger(tmp_path / CALLS) as ledger:
        account = Account(ledger) if kept else None
        reply = await Line(voice, late, scope="ask:one", account=account).reply((user(),))
        assert reply.seconds is not None
        assert 0.0 <= reply.seconds < 0.5
        if account is not None:
            assert await Line(voice, late, scope="ask:one", account=account).reply((user(),)) == reply
