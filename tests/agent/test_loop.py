"""Whole attempts: a replayed teacher, a real bash, both dialects and every way to stop."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import pytest

from datafactory.agent import MALFORMED, Attempted, Limits, attempt, dialect
from datafactory.errors import ConfigError, SandboxError, TeacherError
from datafactory.protocols import Episode
from datafactory.teachers.scripted import ScriptedTeacher
from datafactory.types import Message, Reply, Task, ToolCall


def said(*commands: str, done: bool = False, **more: Any) -> str:
    keys = [{"keystrokes": command, "duration": 1.0} for command in commands]
    return json.dumps({"analysis": "a", "plan": "p", "commands": keys, "task_complete": done} | more)


def calls(*commands: Any, **more: Any) -> dict[str, Any]:
    made = [
        {"id": f"c{n}", "name": "submit"} if c == "submit" else {"id": f"c{n}", "name": "bash", "arguments": c}
        for n, c in enumerate(commands)
    ]
    return {"content": "", "tool_calls": made, **more}


async def run(task: Task, box: Any, agent: str, *replies: Any, limits: Limits | None = None) -> Attempted:
    episode = Episode(id="t-0/0", seed=1, task=task, agent=agent)
    async with ScriptedTeacher(replies=replies).open() as chat:
        return await attempt(dialect(agent)(task, box), chat, limits=limits or Limits(turns=20), episode=episode)


async def test_terminus_opens_with_one_user_message(task: Task, box: Any):
    made = await run(task, box, "terminus-2", said(done=True), said(done=True))
    first = made.messages[0]
    assert first.role == "user"
    assert f"Task Description:\n{task.prompt}\n" in first.content
    assert first.content.endswith(f"Current terminal state:\nCurrent Terminal Screen:\nroot@box:{box.root}# ")


async def test_terminus_asks_twice_before_it_is_done(task: Task, box: Any):
    made = await run(task, box, "terminus-2", said("echo done > out.txt\n"), said(done=True), said(done=True))
    assert made.stop == "submitted"
    assert (box.root / "out.txt").read_text() == "done\n"
    assert [m.role for m in made.messages] == ["user", "assistant"] * 3
    assert made.messages[2].content.startswith("New Terminal Output:\n")
    assert made.messages[4].content.startswith("Current terminal state:\n")
    assert "Are you sure" in made.messages[4].content


async def test_going_on_takes_back_the_completion(task: Task, box: Any):
    made = await run(task, box, "terminus-2", said(done=True), said("ls\n"), said(done=True), said(done=True))
    assert made.stop == "submitted"
    assert sum("Are you sure" in m.content for m in made.messages) == 2


async def test_commands_of_the_confirming_answer_are_typed(task: Task, box: Any):
    made = await run(task, box, "terminus-2", said(done=True), said("echo last > out.txt\n", done=True))
    assert made.stop == "submitted"
    assert (box.root / "out.txt").read_text() == "last\n"


async def test_an_answer_that_cannot_be_read_is_a_turn_with_feedback(task: Task, box: Any):
    made = await run(task, box, "terminus-2", "I give up.", said(done=True), said(done=True))
    assert made.messages[1].fault == "No valid JSON found in response"
    assert made.messages[2].content == (
        "Previous response had parsing errors:\nERROR: No valid JSON found in response\n\n"
        "Please fix these issues and provide a proper JSON response."
    )
    assert made.messages[3].fault is None


async def test_warnings_come_before_the_output(task: Task, box: Any):
    made = await run(
        task, box, "terminus-2", f"Now: {said('echo hi{}')}".replace("hi{}", "hi\\n"), limits=Limits(turns=1)
    )
    assert made.messages[1].fault is None
    lines = made.messages[2].content
    assert lines.startswith("Previous response had warnings:\nWARNINGS: - AUTO-CORRECTED:")
    assert "\n\nNew Terminal Output:\n" in lines


async def test_warnings_come_with_the_question_too(task: Task, box: Any):
    made = await run(task, box, "terminus-2", f"Done: {said(done=True)}", said(done=True))
    assert made.messages[2].content.startswith("Previous response had warnings:")
    assert "Are you sure" in made.messages[2].content


async def test_long_output_is_limited(task: Task, box: Any):
    made = await run(task, box, "terminus-2", said("seq 1 100000\n"), limits=Limits(turns=1))
    assert "interior bytes omitted ...]" in made.messages[2].content
    assert 10_000 < len(made.messages[2].content) < 10_200


@pytest.mark.parametrize("agent", ["terminus-2", "tools"])
async def test_too_many_turns_are_a_recorded_stop(task: Task, box: Any, agent: str):
    reply = said("ls\n") if agent == "terminus-2" else calls({"command": "ls"})
    made = await run(task, box, agent, reply, reply, limits=Limits(turns=2))
    assert made.stop == "turn_limit"
    assert sum(m.role == "assistant" for m in made.messages) == 2


async def test_too_many_tokens_are_a_recorded_stop(task: Task, box: Any):
    reply = {"content": said("ls\n"), "usage": {"completion_tokens": 60}}
    made = await run(task, box, "terminus-2", reply, reply, limits=Limits(tokens=100))
    assert made.stop == "token_limit"
    assert made.usage.completion_tokens == 120


async def test_too_much_time_is_a_recorded_stop(task: Task, box: Any):
    reply = said(*["sleep 30\n"] * 5)
    made = await run(task, box, "terminus-2", reply, limits=Limits(seconds=1.0))
    assert made.stop == "time_limit"
    assert made.seconds < 10


class Waiting:
    """A chat whose server has to come up first; its answers say how long the model took."""

    def __init__(self, seconds: float | None, *, wait: float) -> None:
        self.seconds, self.wait = seconds, wait

    async def reply(self, messages: Any, **more: Any) -> Reply:
        await asyncio.sleep(self.wait)
        wire = calls({"command": "true"}) if len(messages) < 6 else calls("submit")
        tools = tuple(ToolCall.model_validate(call) for call in wire["tool_calls"])
        return Reply(message=Message(role="assistant", tool_calls=tools), seconds=self.seconds)


@pytest.mark.parametrize(
    ("seconds", "wait", "stop", "least", "most"),
    [(0.25, 1.5, "submitted", 0.75, 3.0), (2.0, 0.0, "time_limit", 4.0, 5.0), (None, 1.6, "time_limit", 3.2, 4.2)],
)
async def test_the_clock_runs_while_the_model_answers_and_not_while_a_server_is_waited_for(
    task: Task, box: Any, seconds: float | None, wait: float, stop: str, least: float, most: float
):
    made = await attempt(
        dialect("tools")(task, box),
        Waiting(seconds, wait=wait),
        limits=Limits(seconds=3.0),
        episode=Episode("t-0/0", 1),
    )
    assert made.stop == stop
    assert least <= made.seconds < most


async def test_an_answer_cut_off_beyond_reading_ends_the_attempt(task: Task, box: Any):
    made = await run(task, box, "terminus-2", {"content": '{"analysis": "I th', "finish": "length"})
    assert made.stop == "truncated"
    assert made.messages[-1].fault


async def test_an_answer_cut_off_but_readable_is_a_turn(task: Task, box: Any):
    cut = {"content": said("echo done > out.txt\n").partition(', "task_complete"')[0], "finish": "length"}
    made = await run(task, box, "terminus-2", cut, said(done=True), said(done=True))
    assert made.stop == "submitted"
    assert "Completed truncated JSON" in made.messages[2].content
    assert (box.root / "out.txt").exists()


async def test_a_full_context_ends_the_attempt_without_an_empty_message(task: Task, box: Any):
    made = await run(task, box, "terminus-2", said("ls\n"), {"content": "", "finish": "length"})
    assert made.stop == "truncated"
    assert made.messages[-1].role == "user"


async def test_a_silent_teacher_is_ours_and_not_the_attempts(task: Task, box: Any):
    with pytest.raises(TeacherError, match="ran out of replies"):
        await run(task, box, "terminus-2", said("ls\n"))


async def test_tools_share_one_shell_and_show_exit_codes(task: Task, box: Any):
    made = await run(
        task, box, "tools", calls({"command": "cd / && X=7"}, {"command": "pwd; echo $X; false"}), calls("submit")
    )
    assert made.stop == "submitted"
    assert [m.role for m in made.messages] == ["system", "user", "assistant", "tool", "tool", "assistant"]
    assert made.messages[3].content == "exit code: 0\n(no output)"
    assert made.messages[4].content == "exit code: 1\n/\n7"
    assert [t["function"]["name"] for t in made.tools] == ["bash", "submit"]
    assert made.messages[4].tool_call_id == "c1"


async def test_a_tool_that_runs_too_long_is_killed_and_the_attempt_goes_on(task: Task, box: Any):
    made = await run(task, box, "tools", calls({"command": "sleep 60", "timeout": 0.5}), calls("submit"))
    assert made.messages[3].content.startswith("timed out after 0.5 seconds")
    assert made.stop == "submitted"


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ({"id": "x", "name": "python", "arguments": {}}, "there is no tool `python`"),
        ({"id": "x", "name": "bash", "arguments": {}}, "needs a `command`"),
        ({"id": "x", "name": "bash", "arguments": {"command": ["ls"]}}, "needs a `command`"),
        ({"id": "x", "name": "bash", "arguments": {"command": "ls", "timeout": -1}}, "`timeout` must be"),
        ({"id": "x", "name": "bash", "arguments": {"command": "ls", "cwd": "/"}}, "no argument `cwd`"),
        ({"id": "x", "name": "bash", "arguments": {MALFORMED: '{"command": '}}, "no JSON object"),
    ],
)
async def test_a_wrong_call_is_answered_with_what_is_wrong(task: Task, box: Any, call: dict[str, Any], problem: str):
    made = await run(task, box, "tools", {"content": "", "tool_calls": [call]}, calls("submit"))
    assert problem in (made.messages[2].fault or "")
    assert made.messages[3].role == "tool"
    assert made.messages[3].content.startswith("error: ")
    assert problem in made.messages[3].content
    assert made.stop == "submitted"


async def test_an_answer_without_a_call_is_told_so(task: Task, box: Any):
    made = await run(task, box, "tools", "All done!", calls("submit"))
    assert made.messages[2].fault == "no tool was called"
    assert made.messages[3].role == "user"
    assert "called no tool" in made.messages[3].content


async def test_a_call_cut_off_ends_the_attempt(task: Task, box: Any):
    broken = {
        "content": "",
        "finish": "length",
        "tool_calls": [{"id": "x", "name": "bash", "arguments": {MALFORMED: "{"}}],
    }
    assert (await run(task, box, "tools", broken)).stop == "truncated"


async def test_the_history_only_grows(task: Task, box: Any):
    seen: list[tuple[Any, ...]] = []

    class Listening:
        def __init__(self, chat: Any) -> None:
            self.chat = chat

        async def reply(self, messages: Any, **more: Any) -> Any:
            seen.append(tuple(messages))
            return await self.chat.reply(messages, **more)

    episode = Episode(id="t-0/0", seed=1, task=task, agent="terminus-2")
    replies = ("no json", said("ls\n"), said(done=True), said(done=True))
    async with ScriptedTeacher(replies=replies).open() as chat:
        await attempt(dialect("terminus-2")(task, box), Listening(chat), limits=Limits(), episode=episode)
    assert len(seen) == 4
    assert all(later[: len(earlier)] == earlier for earlier, later in itertools.pairwise(seen))


async def test_a_broken_box_is_ours_and_not_the_attempts(task: Task, box: Any):
    class Broken:
        async def exec(self, *_: Any, **__: Any) -> Any:
            raise SandboxError("the box is gone")

    with pytest.raises(SandboxError, match="the box is gone"):
        await run(task, Broken(), "tools", calls({"command": "ls"}))


def test_an_unknown_dialect_is_a_clear_error():
    with pytest.raises(ConfigError, match="no agent is called 'codex'; there are terminus-2, tools and openhands"):
        dialect("codex")


async def test_what_escapes_from_a_teacher_is_the_teachers_fault(task: Task, box: Any):
    class Broken:
        async def reply(self, *args: Any, **more: Any) -> Any:
            raise ConnectionResetError("the line is dead")

    class Empty:
        async def reply(self, *args: Any, **more: Any) -> Any:
            raise TeacherError("no answer")

    for chat in (Broken(), Empty()):
        with pytest.raises(TeacherError) as raised:
            await attempt(dialect("tools")(task, box), chat, limits=Limits(), episode=Episode("t-0/0", 1))
        assert raised.value.boundary == "asking the teacher"
