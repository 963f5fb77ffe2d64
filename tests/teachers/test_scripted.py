"""Replayed answers: in the pipeline file, in a file, from an earlier run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from datafactory.errors import DataError, TeacherError
from datafactory.protocols import Episode
from datafactory.teachers.scripted import ScriptedTeacher
from datafactory.types import Message, ToolCall, Trajectory, Usage

USER = Message(role="user", content="go")
SPOKE = Message(role="assistant", content="first")


def written(folder: Path, *rows: Any) -> str:
    path = folder / "replies.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def episode(name: str, agent: str = "tools") -> Episode:
    return Episode(id=name, seed=0, agent=agent)


async def test_an_agent_gets_the_answer_that_fits_how_often_it_spoke():
    async with ScriptedTeacher(replies=("first", "second")).open() as chat:
        again = [await chat.reply([USER, SPOKE, USER], episode=episode("a")) for _ in range(2)]
        assert [reply.message.content for reply in again] == ["second", "second"]
        assert (await chat.reply([USER], episode=episode("b"))).message.content == "first"


async def test_other_requests_get_one_answer_after_the_other():
    async with ScriptedTeacher(replies=("one", "two")).open() as chat:
        assert [(await chat.reply([USER])).message.content for _ in range(2)] == ["one", "two"]


async def test_running_out_is_an_error_that_says_so():
    async with ScriptedTeacher(replies=("only",)).open() as chat:
        with pytest.raises(TeacherError, match="ran out of replies for episode 'a': reply 2 was asked, 1 exist"):
            await chat.reply([USER, SPOKE, USER], episode=episode("a"))


async def test_answers_may_carry_calls_usage_and_a_finish():
    given = {
        "tool_calls": [{"function": {"name": "bash", "arguments": '{"command": "ls"}'}}],
        "usage": {"completion_tokens": 5},
    }
    async with ScriptedTeacher(replies=(given,)).open() as chat:
        reply = await chat.reply([USER])
    assert reply.message.tool_calls == (ToolCall(id="call_0", name="bash", arguments={"command": "ls"}),)
    assert reply.finish == "tool_calls"
    assert reply.usage == Usage(completion_tokens=5)
    assert reply.model == "scripted"


async def test_rows_of_a_file_are_found_by_episode(tmp_path: Path):
    path = written(tmp_path, {"episode": "t/0", "replies": ["for t/0"]}, {"replies": ["for all"]})
    async with ScriptedTeacher(path=path).open() as chat:
        assert (await chat.reply([USER], episode=episode("t/0"))).message.content == "for t/0"
        assert (await chat.reply([USER], episode=episode("u/3"))).message.content == "for all"


async def test_trajectories_of_an_earlier_run_are_replayed(tmp_path: Path):
    call = ToolCall(id="c", name="bash", arguments={"command": "ls"})
    spoken = Message(role="assistant", reasoning_content="hm", tool_calls=(call,), fault="seen before")
    earlier = Trajectory(
        task_id="t", attempt=2, teacher="openai", agent="tools", messages=(USER, spoken), stop="turn_limit"
    )
    path = written(tmp_path, earlier.model_dump(mode="json"))
    async with ScriptedTeacher(path=path).open() as chat:
        reply = await chat.reply([USER], episode=episode("t/2"))
        assert reply.message == spoken.but(fault=None)
        with pytest.raises(TeacherError, match="no replies for episode 't/3'"):
            await chat.reply([USER], episode=episode("t/3"))


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"episode": "a"}], r"replies.jsonl:1: a row needs `replies` or `messages`"),
        ([{"replies": ["x"]}, {"replies": ["y"]}], r"replies.jsonl:2: a second row for every episode"),
        ([{"replies": [7]}], r"replies.jsonl:1: "),
        ([], "no rows"),
    ],
)
async def test_a_file_that_is_wrong_is_told_by_line(tmp_path: Path, rows: list[Any], problem: str):
    with pytest.raises(DataError, match=problem):
        async with ScriptedTeacher(path=written(tmp_path, *rows)).open():
            raise AssertionError("must not open")


async def test_a_file_that_is_missing_is_told():
    with pytest.raises(DataError, match=r"nowhere\.jsonl"):
        async with ScriptedTeacher(path="nowhere.jsonl").open():
            raise AssertionError("must not open")


@pytest.mark.parametrize("fields", [{}, {"replies": ("a",), "path": "b"}, {"replies": ({"contents": "x"},)}])
def test_a_recipe_that_is_wrong_is_refused(fields: dict[str, Any]):
    with pytest.raises(ValidationError):
        ScriptedTeacher(**fields)
