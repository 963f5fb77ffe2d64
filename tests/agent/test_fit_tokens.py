"""Counting a student's tokens: the count that is carried on is the count of the whole."""

from __future__ import annotations

import asyncio
import importlib.resources
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.agent import Ruler, Student
from datafactory.agent.fit_tokens import Meter
from datafactory.agent.tools import BASH, SUBMIT
from datafactory.errors import ConfigError
from datafactory.types import Message, ToolCall
from tests.agent import students

pytestmark = pytest.mark.train

TOOLS = (BASH, SUBMIT)
NAMED = Student(tokenizer="a-student", max_length=4000)


def qwen3() -> str:
    """Qwen3's own template, which drops earlier thoughts and merges results."""
    return (importlib.resources.files("trl") / "chat_templates" / "qwen3.jinja").read_text()


CASES: dict[str, Any] = {
    "chatml": lambda: students.tokenizer(students.CHATML),
    "forgetful": lambda: students.tokenizer(students.FORGETFUL),
    "qwen3": lambda: students.tokenizer(qwen3()),
    "plain": lambda: students.tokenizer(students.PLAIN),
    "metaspace": lambda: students.tokenizer(students.CHATML, kind="spaces"),
    "odd": lambda: students.tokenizer(students.CHATML, odd=True),
}
RULERS: dict[str, Ruler] = {}


def ruler(case: str) -> Ruler:
    """One for each case, made once."""
    if case not in RULERS:
        RULERS[case] = Ruler(NAMED, CASES[case](), "tools")
    return RULERS[case]


def whole(case: str, messages: list[Message], tools: Any = ()) -> int:
    """What a trainer would count, by the library's own way of tokenizing."""
    made = CASES[case]()
    wires = [message.wire() for message in messages]
    text = made.apply_chat_template(wires, tools=list(tools) or None, tokenize=False)
    return len(made(text.replace("\ud800", "\ufffd"), add_special_tokens=False)["input_ids"])


texts = st.lists(
    st.sampled_from(
        ["ls\n", " ", "zebra", "<|im_end|>", "<|im_start|>user\n", "<", "é", "\n", "</think>", "|>", "\ud800"]
    ),
    max_size=6,
).map("".join)
turns = st.tuples(texts, st.none() | texts, st.booleans(), texts)


@settings(max_examples=40, deadline=None)
@given(case=st.sampled_from(sorted(CASES)), first=texts, turns=st.lists(turns, max_size=6))
def test_a_count_carried_on_is_the_count_of_the_whole(case: str, first: str, turns: list[Any]) -> None:
    meter = Meter(ruler(case))
    messages = [Message(role="user", content=first)]
    for number, (answer, thought, calls, seen) in enumerate(turns):
        call = ToolCall(id=f"c{number}", name="bash", arguments={"command": answer})
        said = Message(role="assistant", content=answer, reasoning_content=thought, tool_calls=(call,) if calls else ())
        back = Message(role="tool", tool_call_id=call.id, content=seen) if calls else Message(role="user", content=seen)
        for message in (said, back):
            messages.append(message)
            assert meter.count(messages, TOOLS) == whole(case, messages, TOOLS)
    shorter = [message.but(content=message.content[:1]) for message in messages]
    assert meter.count(shorter, TOOLS) == whole(case, shorter, TOOLS)
    assert meter.count(messages, TOOLS) == whole(case, messages, TOOLS)


def test_only_what_is_new_is_tokenized() -> None:
    seen: list[int] = []

    class Listening(Ruler):
        def tokens(self, text: str) -> int:
            seen.append(len(text))
            return super().tokens(text)

    for template in (students.CHATML, students.FORGETFUL):
        meter = Meter(Listening(NAMED, students.tokenizer(template), "tools"))
        messages = [Message(role="user", content="go " * 20_000)]
        meter.count(messages)
        for _ in range(5):
            messages += [
                Message(role="assistant", content="ls", reasoning_content="hm"),
                Message(role="user", content="a"),
            ]
            seen.clear()
            meter.count(messages)
            assert 0 < sum(seen) < 200


def test_cuts_are_made_only_where_both_sides_stand_alone() -> None:
    assert set(ruler("chatml").marks) >= {"<|im_start|>", "<|im_end|>"}
    assert ruler("odd").marks == ()
    assert ruler("plain").marks == ()


def test_a_template_that_leaves_out_tool_calls_is_refused_for_agents_that_call_tools() -> None:
    bare = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    assert Ruler(NAMED, students.tokenizer(bare), "terminus-2").marks
    with pytest.raises(ConfigError, match="leaves out tool calls: rows of the agent 'tools' would teach it nothing"):
        Ruler(NAMED, students.tokenizer(bare), "tools")


def test_a_template_that_refuses_a_conversation_is_refused_before_anything_is_paid() -> None:
    no_system = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + students.CHATML
    )
    with pytest.raises(ConfigError, match="cannot show a conversation of the agent 'tools': no system role"):
        Ruler(NAMED, students.tokenizer(no_system), "tools")


def test_what_a_template_cannot_show_has_no_length() -> None:
    made = Ruler(NAMED, students.tokenizer(students.STRICT), "tools")
    calls = tuple(ToolCall(id=f"c{number}", name="bash", arguments={"command": "ls"}) for number in range(2))
    meter = Meter(made)
    asked = Message(role="user", content="go")
    assert meter.count([asked, Message(role="assistant", tool_calls=calls)]) is None
    assert meter.count([asked, Message(role="assistant", tool_calls=calls[:1])]) is not None


async def test_one_tokenizer_counts_for_many_attempts_at_a_time() -> None:
    made = ruler("qwen3")

    def counted(number: int) -> list[int | None]:
        meter = Meter(made)
        messages = [Message(role="user", content=f"zebra {number} " * 50)]
        found = []
        for _ in range(10):
            messages += [Message(role="assistant", content=f"ls {number}"), Message(role="user", content="a\n")]
            found.append(meter.count(messages))
        return found

    alone = [counted(number) for number in range(16)]
    assert await asyncio.gather(*(asyncio.to_thread(counted, number) for number in range(16))) == alone


def test_a_student_is_loaded_from_its_folder(tmp_path: Path) -> None:
    made = students.student(tmp_path / "s").load("terminus-2")
    assert Meter(made).count([Message(role="user", content="go")]) == whole(
        "chatml", [Message(role="user", content="go")]
    )


def test_a_template_of_ones_own_takes_the_place_of_the_tokenizers(tmp_path: Path) -> None:
    own = tmp_path / "own.jinja"
    own.write_text(students.PLAIN)
    recipe = students.student(tmp_path / "s", None, chat_template=own)
    assert recipe.load("tools").render([Message(role="user", content="go")]) == "USER: go\n"
    assert own in recipe.inputs()


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda folder: (folder / "chat_template.jinja").unlink(), "has no chat template; name a file"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "cannot be loaded"),
    ],
)
def test_a_tokenizer_that_cannot_be_used_is_a_mistake_of_the_files(tmp_path: Path, break_it: Any, said: str) -> None:
    recipe = students.student(tmp_path / "s")
    break_it(tmp_path / "s")
    with pytest.raises(ConfigError, match=said):
        recipe.load("terminus-2")


def test_without_transformers_it_is_said_what_to_install() -> None:
    code = """
import sys
sys.modules["transformers"] = None
from datafactory.agent import Student
from datafactory.errors import Missing
made = Student(tokenizer="a/b", max_length=9)
print(*made.problems())
try:
    made.load("tools")
except Missing as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said = "student: counting a student's tokens needs transformers: pip install 'datafactory[train]'"
    assert done.stdout.splitlines() == [said, said]
