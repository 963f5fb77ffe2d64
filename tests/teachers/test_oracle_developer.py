"""The oracle on repositories: real attempts in real boxes, with execution and without."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from datafactory.agent import Attempted
from datafactory.errands import carry_off
from datafactory.errors import TeacherError
from datafactory.protocols import Episode
from datafactory.swe_facts import PATCH
from datafactory.teachers import oracle
from datafactory.teachers.oracle import OracleTeacher
from datafactory.types import Message, Source, Usage
from tests.teachers.repository import BROKEN, CART, PRICES, SOUND, cart_task, renewed, repository_box, swe_task, worked

pytestmark = pytest.mark.namespace
ALL = pytest.mark.parametrize("agent", ["openhands", "tools", "terminus-2"])


def said(message: Message) -> str:
    """All that a turn of the assistant's says and does."""
    done = [str(value) for call in message.tool_calls for value in call.arguments.values()]
    return "\n".join([message.content, *done])


def turns(done: Attempted) -> list[str]:
    return [said(message) for message in done.messages if message.role == "assistant"]


def first(texts: Sequence[str], part: str) -> int:
    """The first turn that says `part`."""
    return next(number for number, text in enumerate(texts) if part in text)


def editor_errors(done: Attempted) -> int:
    return sum(message.role == "tool" and message.content.startswith("ERROR") for message in done.messages)


@ALL
async def test_it_explores_reproduces_locates_edits_tests_and_submits(agent: str) -> None:
    task = cart_task()
    async with repository_box(task, executes=True) as box:
        done = await worked(task, box, agent, seed=1)
        assert await box.read("/testbed/shop/prices.py") == PRICES.encode()
        status = await box.exec("cd /testbed && git status --porcelain && python -m pytest -q tests")
    assert done.stop == "submitted" and done.model == "oracle" and done.usage == Usage()
    assert status.output.splitlines()[0] == " M shop/prices.py" and "3 passed" in status.output
    assert all(message.fault is None for message in done.messages)
    texts = turns(done)
    edited = first(texts, "rest >= 0.5")
    assert first(texts, "from shop.cart import Cart") < first(texts, "_rounded") < edited, "reproduced, then located"
    assert any("git" in text and "diff" in text for text in texts[edited + 1 :])
    assert any("pytest" in text for text in texts[edited + 1 :])
    assert sum("from shop.cart import Cart" in text or "/tmp/reproduce.py" in text for text in texts[edited + 1 :]) == 1


@pytest.mark.parametrize(("agent", "seed"), [("openhands", 0), ("tools", 1)])
async def test_where_nothing_can_be_executed_it_only_reads_and_edits(agent: str, seed: int) -> None:
    task = cart_task()
    async with repository_box(task, executes=False) as box:
        done = await worked(task, box, agent, seed=seed, slip=1.0)
        artifacts, _ = await carry_off(box, task, limit=1 << 20)
        assert await box.read("/testbed/shop/prices.py") == PRICES.encode()
        assert list(box.violations) == []
    assert artifacts[PATCH].text.count("\n@@ ") == 1
    assert done.stop == "submitted" and editor_errors(done) <= 2
    assert "Nothing can be executed here" in done.messages[1].content
    assert not re.search(r"pytest|python -|reproduce\.py", "\n".join(turns(done)))


async def test_attempts_differ_and_slips_are_errors_that_are_seen_and_mended() -> None:
    task, errors, typos, told = cart_task(), 0, 0, set()
    async with repository_box(task, executes=False) as box:
        for seed in range(5):
            await renewed(task, box)
            done = await worked(task, box, "openhands", seed=seed, slip=1.0)
            assert await box.read("/testbed/shop/prices.py") == PRICES.encode()
            text = "\n".join(turns(done))
            told.add(text)
            errors += editor_errors(done)
            typos += bool(re.search("typo|mistyped|should have been", text))
            assert editor_errors(done) <= 2
    assert errors >= 2 and typos >= 1 and len(told) == 5
    episode = Episode(id="t-0/0", seed=4, task=task, agent="openhands", executes=False)
    async with OracleTeacher(slip=1.0).open() as chat:
        for place, message in enumerate(done.messages):
            if message.role == "assistant":
                assert (await chat.reply(done.messages[:place], episode=episode)).message == message


WINDOWS = CART.replace("\n", "\r\n")
LATIN = "\n\n\n\n# caf\xe9\n".encode("latin-1")
RATES = b"RATES = {}\n\n\ndef rate(kind):\n    return RATES[kind]\n"
ODD: dict[str, tuple[dict[str, bytes | None], dict[str, bytes | None]]] = {
    "crlf": (
        {"shop/cart.py": WINDOWS.replace("cents in self", "_ in self").encode()},
        {"shop/cart.py": WINDOWS.encode()},
    ),
    "no_newline_at_the_end": (
        {"shop/cart.py": CART.rstrip().replace("sum(", "max(").encode()},
        {"shop/cart.py": CART.rstrip().encode()},
    ),
    "no_utf8": (
        {"shop/cart.py": CART.replace("sum(", "max(").encode() + LATIN},
        {"shop/cart.py": CART.encode() + LATIN},
    ),
    "a_file_is_missing_and_one_too_many": (
        {"shop/rates.py": None, "shop/old.py": b"x = 1\n"},
        {"shop/rates.py": RATES, "shop/old.py": None},
    ),
    "two_files": (
        {
            "shop/prices.py": BROKEN["shop/prices.py"].encode(),
            "shop/cart.py": CART.replace("        self.things = []\n", "        pass\n").encode(),
        },
        {"shop/prices.py": PRICES.encode(), "shop/cart.py": CART.encode()},
    ),
    "no_python": ({"setup.cfg": b"[metadata]\nname = shoop\n"}, {"setup.cfg": b"[metadata]\nname = shop\n"}),
}


async def test_odd_files_end_as_the_fix_has_them() -> None:
    async with repository_box(cart_task(), executes=False) as box:
        for name, (broken, sound) in ODD.items():
            task = swe_task(broken, sound)
            for agent, seed in (("openhands", 1), ("tools", 2)):
                await renewed(task, box)
                done = await worked(task, box, agent, seed=seed)
                for path, data in sound.items():
                    assert await box.read(f"/testbed/{path}") == data, name
                refused = name == "no_utf8" and agent == "openhands"
                assert done.stop == "submitted" and editor_errors(done) == refused, name
                if name == "a_file_is_missing_and_one_too_many" and agent == "openhands":
                    assert "`shop/rates.py`" in done.messages[-1].content, "git status tells of new files"
        assert list(box.violations) == []


@ALL
async def test_all_that_it_names_was_read_before(agent: str) -> None:
    """Until the broken line was shown, code in backticks and line numbers come from the issue or from outputs."""
    task = cart_task()
    for seed in range(2):
        async with repository_box(task, executes=True) as box:
            done = await worked(task, box, agent, seed=seed)
        read = task.prompt
        for message in done.messages[1:]:
            if message.role != "assistant":
                read += message.content
                continue
            if "if rest > 0.5" not in read:
                prose = message.content.split('"commands"')[0].replace('\\"', '"')
                for span in re.findall(r"`([^`]+)`", prose):
                    assert span in read or span in task.prompt, f"{span!r} in {prose!r}"
                for number in re.findall(r"\bline (\d+)", prose):
                    assert re.search(rf"\b{number}\b", read), prose
            assert "rest >= 0.5" not in said(message) or "if rest > 0.5" in read


async def test_a_turn_of_openhands_is_one_call() -> None:
    task = cart_task()
    async with repository_box(task, executes=True) as box:
        done = await worked(task, box, "openhands", slip=1.0)
    assert {len(message.tool_calls) for message in done.messages if message.role == "assistant"} == {1}
    assert done.messages[-1].tool_calls[0].name == "finish"
    assert "shop/prices.py" in done.messages[-1].tool_calls[0].arguments["message"]


async def test_a_fix_of_files_that_are_not_known_is_shown_as_its_solution() -> None:
    task = cart_task()
    facts = {**task.source.facts, "fix": "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"}
    elsewhere = task.but(source=Source(generator="t", facts=facts), digest="another")
    async with repository_box(elsewhere, executes=True) as box:
        done = await worked(elsewhere, box, "openhands")
        assert await box.read("/testbed/shop/prices.py") == PRICES.encode()
    assert elsewhere.solution[0].command in "\n".join(turns(done))
    episode = Episode(id="t", seed=1, task=elsewhere, agent="openhands", executes=False)
    async with OracleTeacher().open() as chat:
        with pytest.raises(TeacherError, match="has to be executed"):
            await chat.reply(done.messages[:2], episode=episode)


def test_no_phrase_speaks_of_a_known_fix() -> None:
    files = sorted((Path(oracle.__file__).parent / "phrases").rglob("*.txt"))
    assert len(files) > 100
    for file in files:
        told = re.search(r"\b(?:known|reference|gold|given) (?:fix|solution|patch)|demonstrat|oracle", file.read_text())
        assert told is None, file


def test_the_sound_repository_is_not_the_broken_one() -> None:
    assert all(SOUND[path] != text for path, text in BROKEN.items())
