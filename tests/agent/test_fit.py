"""Attempts and the student that they must fit: stopped, compacted or marked; a replayed teacher, a real bash."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from datafactory.agent import Attempted, Limits, Ruler, attempt, dialect
from datafactory.agent.fit import KEPT, RECENT
from datafactory.agent.fit_tokens import Meter
from datafactory.protocols import Episode
from datafactory.teachers.scripted import ScriptedTeacher
from datafactory.types import Message, Task
from tests.agent import students

pytestmark = pytest.mark.train


class Listening:
    """A chat that remembers what it was asked."""

    def __init__(self, chat: Any) -> None:
        self.chat = chat
        self.asked: list[tuple[Message, ...]] = []

    async def reply(self, messages: Any, **more: Any) -> Any:
        self.asked.append(tuple(messages))
        return await self.chat.reply(messages, **more)


def call(command: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "content": "",
        "tool_calls": [{"id": f"c{number}", "name": "bash", "arguments": {"command": command}}],
        **more,
    }


SUBMIT = {"content": "", "tool_calls": [{"id": "last", "name": "submit"}]}


async def run(task: Task, box: Any, ruler: Ruler | None, *replies: Any, turns: int = 40) -> tuple[Attempted, Listening]:
    episode = Episode(id="t-0/0", seed=1, task=task, agent="tools")
    async with ScriptedTeacher(replies=replies).open() as chat:
        heard = Listening(chat)
        limits = Limits(turns=turns)
        made = await attempt(dialect("tools")(task, box), heard, limits=limits, episode=episode, student=ruler)
    return made, heard


def counted(ruler: Ruler, messages: Any, tools: Any) -> int:
    found = Meter(ruler).count(messages, tools)
    assert found is not None
    return found


async def start(task: Task, box: Any, folder: Path) -> int:
    """Tokens of the opening: the lengths of these tests are set above it."""
    ruler = students.student(folder, policy="mark", max_length=10_000).load("tools")
    made, _ = await run(task, box, ruler, SUBMIT)
    return counted(ruler, made.messages[:2], made.tools)


LONG = "seq 1000 1999"
"""Prints 5,000 characters."""


async def test_a_call_that_would_not_fit_is_never_made(task: Task, box: Any, tmp_path: Path):
    length = await start(task, box, tmp_path / "s") + 1500
    ruler = students.student(tmp_path / "s", max_length=length, reserve=100).load("tools")
    made, heard = await run(task, box, ruler, *(call("echo hello", n) for n in range(200)), SUBMIT, turns=300)
    assert made.stop == "student_limit"
    assert all(counted(ruler, asked, made.tools) <= length - 100 for asked in heard.asked)
    assert made.student_tokens == counted(ruler, made.messages, made.tools)
    assert length - 200 < made.student_tokens <= length
    assert made.compacted == 0


async def test_what_was_seen_last_is_left_out_where_the_row_fits_without_it(task: Task, box: Any, tmp_path: Path):
    length = await start(task, box, tmp_path / "s") + 1000
    ruler = students.student(tmp_path / "s", max_length=length).load("tools")
    made, heard = await run(task, box, ruler, call("echo small", 0), call(f"{LONG} | tee out.txt", 1), SUBMIT)
    assert made.stop == "student_limit"
    assert len(heard.asked) == 2
    assert [message.role for message in made.messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert (box.root / "out.txt").exists()
    assert made.student_tokens is not None and made.student_tokens <= length


async def test_an_answer_that_overflows_is_neither_carried_out_nor_in_the_row(task: Task, box: Any, tmp_path: Path):
    length = await start(task, box, tmp_path / "s") + 500
    ruler = students.student(tmp_path / "s", max_length=length, reserve=0).load("tools")
    made, _ = await run(task, box, ruler, call("echo small", 0), call(f"echo {'zq' * 1000} > out.txt", 1), SUBMIT)
    assert made.stop == "student_limit"
    assert [message.role for message in made.messages] == ["system", "user", "assistant", "tool"]
    assert not (box.root / "out.txt").exists()
    assert made.student_tokens is not None and made.student_tokens <= length


@pytest.mark.parametrize("policy", ["stop", "compact"])
async def test_a_task_that_is_too_long_itself_costs_no_call(task: Task, box: Any, tmp_path: Path, policy: str):
    ruler = students.student(tmp_path / "s", max_length=100, policy=policy).load("tools")
    made, heard = await run(task, box, ruler, SUBMIT)
    assert (made.stop, heard.asked) == ("student_limit", [])
    assert made.student_tokens is not None and made.student_tokens > 100


async def test_a_row_that_ends_for_another_reason_fits_too(task: Task, box: Any, tmp_path: Path):
    length = await start(task, box, tmp_path / "s") + 1000
    ruler = students.student(tmp_path / "s", max_length=length).load("tools")
    made, _ = await run(task, box, ruler, call(LONG, 0), turns=1)
    assert made.stop == "turn_limit"
    assert made.messages[-1].role == "assistant"
    assert made.student_tokens is not None and made.student_tokens <= length


async def test_a_marked_row_goes_on_and_says_its_length(task: Task, box: Any, tmp_path: Path):
    ruler = students.student(tmp_path / "s", max_length=900, policy="mark").load("tools")
    made, heard = await run(task, box, ruler, *(call(LONG, n) for n in range(3)), SUBMIT)
    assert made.stop == "submitted"
    assert made.student_tokens == counted(ruler, made.messages, made.tools) > 900
    assert heard.asked[-1] == made.messages[:-1]


async def test_compaction_goes_on_with_shorter_observations(task: Task, box: Any, tmp_path: Path):
    length = await start(task, box, tmp_path / "s") + 60_000
    ruler = students.student(tmp_path / "s", max_length=length, policy="compact").load("tools")
    made, heard = await run(task, box, ruler, *(call(LONG, n) for n in range(24)), SUBMIT)
    assert made.stop == "submitted"
    assert made.student_tokens is not None and made.student_tokens <= length
    assert all(counted(ruler, asked, made.tools) <= length for asked in heard.asked)
    note = f"[... {len('exit code: 0') + 1 + 4999 - 2 * KEPT:,} characters left out ...]"
    shortened = [place for place, message in enumerate(made.messages) if note in message.content]
    assert shortened and shortened[0] == 3
    assert shortened == [place for place in range(2, shortened[-1] + 1) if made.messages[place].role == "tool"]
    assert made.messages[:2] == heard.asked[0]
    answers = [place for place, message in enumerate(made.messages) if message.role == "assistant"]
    assert shortened[-1] < answers[-RECENT]
    for asked, answered in itertools.pairwise([m.tool_call_id for m in made.messages if m.role == "tool"]):
        assert asked != answered
    calls = [c.id for message in made.messages[:-1] for c in message.tool_calls]
    assert calls == [message.tool_call_id for message in made.messages if message.role == "tool"]


async def test_the_turns_after_a_compaction_saw_just_what_the_row_shows(task: Task, box: Any, tmp_path: Path):
    length = await start(task, box, tmp_path / "s") + 60_000
    ruler = students.student(tmp_path / "s", max_length=length, policy="compact").load("tools")
    made, heard = await run(task, box, ruler, *(call(LONG, n) for n in range(24)), SUBMIT)
    answers = [place for place, message in enumerate(made.messages) if message.role == "assistant"]
    assert 2 < made.compacted < answers[-1]
    for place, asked in zip(answers, heard.asked, strict=True):
        assert (asked == made.messages[:place]) == (place >= made.compacted or place == 2)
    breaks = sum(later[: len(earlier)] != earlier for earlier, later in itertools.pairwise(heard.asked))
    assert 1 <= breaks <= 5  # of 24 turns: a compaction frees room for more than the next one


async def test_an_answer_that_overflows_makes_a_compaction_and_carries_no_loss(task: Task, box: Any, tmp_path: Path):
    calls_made = [call(LONG, n) for n in range(9)]
    mark = students.student(tmp_path / "s", max_length=1, policy="mark", reserve=0).load("tools")
    before, _ = await run(task, box, mark, *calls_made, turns=9)
    assert before.student_tokens is not None
    length = before.student_tokens + 500
    ruler = students.student(tmp_path / "s", max_length=length, policy="compact", reserve=0).load("tools")
    made, heard = await run(task, box, ruler, *calls_made, call(f"echo {'zq' * 1000} > out.txt", 9), SUBMIT)
    assert made.stop == "submitted"
    assert (box.root / "out.txt").exists()
    answer = len(before.messages)
    assert heard.asked[9] == before.messages  # whole, for the answer that overflowed
    assert made.messages[answer].tool_calls[0].id == "c9"
    assert made.compacted == answer + 1
    assert heard.asked[10] == made.messages[: answer + 2]
    assert made.student_tokens is not None and made.student_tokens <= length * 3 / 4


async def test_a_conversation_that_cannot_be_made_shorter_stops(task: Task, box: Any, tmp_path: Path):
    length = await start(task, box, tmp_path / "s") + 2000
    ruler = students.student(tmp_path / "s", max_length=length, policy="compact").load("tools")
    made, _ = await run(task, box, ruler, *(call(f"echo {'zq' * 50}", n) for n in range(100)), SUBMIT, turns=200)
    assert made.stop == "student_limit"
    assert made.compacted == 0
    assert made.student_tokens is not None and made.student_tokens <= length


@pytest.mark.parametrize("policy", ["stop", "compact", "mark"])
async def test_an_answer_that_the_template_cannot_show_is_none_that_a_student_learns(
    task: Task, box: Any, tmp_path: Path, policy: str
):
    ruler = students.student(tmp_path / "s", students.STRICT, max_length=4000, policy=policy).load("tools")
    both = {"content": "", "tool_calls": [*call("ls", 1)["tool_calls"], *call("ls", 2)["tool_calls"]]}
    made, _ = await run(task, box, ruler, call("ls", 0), both, SUBMIT)
    assert made.stop == "student_limit"
    assert [message.role for message in made.messages] == ["system", "user", "assistant", "tool"]
    assert made.student_tokens == counted(ruler, made.messages, made.tools)


async def test_without_a_student_nothing_is_counted(task: Task, box: Any):
    made, _ = await run(task, box, None, call(LONG, 0), SUBMIT)
    assert (made.stop, made.student_tokens, made.compacted) == ("submitted", None, 0)
