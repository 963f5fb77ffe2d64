"""The ledger: what it keeps is found again as it was, in groups, and however the run ended."""

from __future__ import annotations

import asyncio
import random
import struct
from pathlib import Path

import pytest

from datafactory.calls import CALLS, Call, Ledger, spending
from datafactory.errors import StorageError
from datafactory.types import Logprobs, Message, Reply, ToolCall, Usage


def reply(text: str = "hello", **more: object) -> Reply:
    return Reply(message=Message(role="assistant", content=text), **more)


def call(text: str = "hello", scope: str = "rollout:t-1/0") -> Call:
    return Call(scope, "openai", reply(text))


def key(number: int) -> bytes:
    return number.to_bytes(32)


def commits(path: Path) -> int:
    """How many transactions stand in a write-ahead log (https://sqlite.org/fileformat.html, 4.1)."""
    log = Path(f"{path}-wal").read_bytes()
    page, salt = struct.unpack(">I", log[8:12])[0], log[16:24]
    frames = [log[at : at + 24] for at in range(32, len(log), 24 + page)]
    return sum(frame[8:16] == salt and frame[4:8] != b"\0\0\0\0" for frame in frames)


STRANGE = [
    reply("é\n\x00\u2028 😀"),
    reply("cut in half: \ud83d"),
    reply("", finish="context", stopped_by="</s>", model="Qwen/Qwen3", usage=Usage(prompt_tokens=1 << 40)),
    Reply(
        message=Message(
            role="assistant",
            reasoning_content="hm",
            tool_calls=(ToolCall(id="c", name="bash", arguments={"n": 1 << 70, "x": [None, {"y": 0.1}]}),),
            logprobs=Logprobs(
                tokens=("a", "\ud83d"), ids=(1, 2), chosen=(-0.125, float("-inf")), top=({"a": -0.1, "b": -3.0}, {})
            ),
        ),
        finish="tool_calls",
    ),
    reply("long " * 100_000),
]


@pytest.mark.parametrize("answer", STRANGE, ids=range(len(STRANGE)))
async def test_an_answer_comes_back_as_it_was_whatever_it_holds(tmp_path: Path, answer: Reply) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        assert await ledger.find(key(1)) is None
        await ledger.keep(key(1), Call("rollout:x\ud83d/0", "openai", answer))
        assert await ledger.find(key(1)) == answer
    async with Ledger(tmp_path / CALLS) as ledger:
        assert await ledger.find(key(1)) == answer
        assert await ledger.find(key(2)) is None


async def test_nothing_is_made_before_there_is_an_answer(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        assert await ledger.find(key(1)) is None
        assert not ledger.knows("rollout:t-1/0")
        assert ledger.spending().total.calls == 0
    assert list(tmp_path.iterdir()) == []


async def test_callers_share_their_syncs(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        await ledger.keep(key(0), call())
        before = commits(ledger.path)
        await asyncio.gather(*(ledger.keep(key(n), call(str(n))) for n in range(1, 201)))
        made = commits(ledger.path) - before
        found = [await ledger.find(key(n)) for n in range(1, 201)]
    assert 1 <= made <= 3
    assert [answer.message.content for answer in found if answer] == [str(n) for n in range(1, 201)]


async def test_an_answer_is_on_disk_when_keep_returns(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        for number in range(5):
            await ledger.keep(key(number), call())
            assert commits(ledger.path) >= number + 1
            assert spending(ledger.path).total.calls == number + 1


async def test_an_answer_gets_to_disk_even_where_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        waiting = asyncio.create_task(ledger.keep(key(1), call("paid for")))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with Ledger(tmp_path / CALLS) as ledger:
        assert await ledger.find(key(1)) == reply("paid for")


async def test_a_second_answer_under_one_key_is_counted_and_the_first_one_stays(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        await asyncio.gather(ledger.keep(key(1), call("first")), ledger.keep(key(1), call("second")))
        await ledger.keep(key(1), call("third"))
        assert await ledger.find(key(1)) == reply("first")
        assert ledger.spending().total.calls == 3


async def test_a_scope_is_known_once_something_of_it_was_kept(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        await ledger.keep(key(1), call(scope="rollout:t-1/0"))
        assert ledger.knows("rollout:t-1/0")
        assert not ledger.knows("rollout:t-1/1")
    async with Ledger(tmp_path / CALLS) as ledger:
        assert ledger.knows("rollout:t-1/0")


async def test_a_disk_that_refuses_is_said_and_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    async with Ledger(tmp_path / CALLS) as ledger:
        await ledger.keep(key(1), call("small"))
        assert ledger._writer is not None
        ledger._writer.execute("PRAGMA max_page_count = 40")  # a full disk, as far as SQLite can tell
        with pytest.raises(StorageError, match=r"calls\.sqlite: database or disk is full"):
            for number in range(2, 50):
                await ledger.keep(key(number), call(random.Random(number).randbytes(20_000).hex()))
        kept = ledger.spending().total.calls
    assert 1 <= kept < 49
    async with Ledger(tmp_path / CALLS) as ledger:
        assert await ledger.find(key(1)) == reply("small")
        assert sum([await ledger.find(key(n)) is not None for n in range(1, 50)]) == kept
