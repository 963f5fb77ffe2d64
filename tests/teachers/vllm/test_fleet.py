"""Several servers behind one chat, and servers of somebody else's, against a stand-in for the program."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from datafactory.errors import ConfigError, TeacherError
from datafactory.protocols import Episode
from datafactory.teachers.gate import Gate
from datafactory.teachers.openai_endpoint import endpoint
from datafactory.teachers.vllm.replica import Replica
from datafactory.teachers.vllm.teacher import VLLMTeacher
from datafactory.types import Message

Fake = Callable[..., VLLMTeacher]


async def seen(chat: Any, episode: str | None) -> dict[str, Any]:
    """What the stand-in that answered saw."""
    asked = [Message(role="user", content="hi")]
    reply = await chat.reply(asked, episode=Episode(episode, 1) if episode else None)
    found: dict[str, Any] = json.loads(reply.message.content)
    return found


def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@asynccontextmanager
async def server(fake: Fake, number: int, model: str = "fake-model") -> AsyncIterator[subprocess.Popen[bytes]]:
    """A server that is nobody's but the test's."""
    argv = [str(fake().program), "serve", model, "--served-model-name", model, "--port", str(number)]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_episodes_are_spread_and_each_sticks_to_one_replica(fake: Fake) -> None:
    async with fake(replicas=3).open() as chat:
        turns = [await asyncio.gather(*(seen(chat, f"episode-{number}") for number in range(30))) for _ in range(4)]
        places = [{turn[number]["pid"] for turn in turns} for number in range(30)]
        assert all(len(place) == 1 for place in places), "an episode moved without need"
        assert sorted(Counter(place.pop() for place in places).values()) == [10, 10, 10]


async def test_only_the_episodes_of_a_replica_that_is_down_move(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake(replicas=2).open() as chat:
        before = [await seen(chat, f"episode-{number}") for number in range(8)]
        victim = before[0]["pid"]
        monkeypatch.setenv("FAKE_SLOW", "60")
        os.kill(victim, signal.SIGKILL)
        after = await asyncio.wait_for(asyncio.gather(*(seen(chat, f"episode-{number}") for number in range(8))), 20)
        stayed = [one["pid"] for one in after]
        assert victim not in stayed
        assert all(new == old["pid"] for new, old in zip(stayed, before, strict=True) if old["pid"] != victim)


async def test_the_servers_own_queue_keeps_the_gate_from_growing(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_ANSWER", "0.4")
    monkeypatch.setenv("FAKE_ROOM", "8")
    async with fake().open() as chat:
        tight = await asyncio.gather(*(seen(chat, f"episode-{number}") for number in range(160)))
    monkeypatch.setenv("FAKE_ROOM", "1000")
    async with fake().open() as chat:
        roomy = await asyncio.gather(*(seen(chat, f"episode-{number}") for number in range(400)))
    assert max(one["most"] for one in tight) <= 40, "a server that works on 8 calls must not be sent ever more"
    assert max(one["most"] for one in roomy) > 60, "a server with room must be given more than the first 32"


async def test_a_joined_server_answers_and_its_gpus_count_as_said(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    number = port()
    async with server(fake, number):
        monkeypatch.setenv("DATAFACTORY_VLLM_URL", f"http://127.0.0.1:{number}/v1/")
        for _ in range(2):
            async with VLLMTeacher(model="fake-model", gpus=8).open() as chat:
                assert (await seen(chat, "one"))["argv"][0] == "serve"
                assert chat.gpus == 8
                await asyncio.sleep(1.2)
                report = chat.report()
                assert report["context"] == 1024
                assert report["replicas"][0]["prefix_queries"] == 100, "what it did before we came is not ours"


async def test_a_wrong_model_name_at_a_joined_server_tells_what_it_has(fake: Fake) -> None:
    number = port()
    async with server(fake, number):
        with pytest.raises(ConfigError, match="has no model 'other-model'; it has fake-model"):
            async with VLLMTeacher(model="other-model", base_url=f"http://127.0.0.1:{number}").open():
                raise AssertionError("must not open")


async def test_a_joined_server_that_is_down_is_told_after_a_short_wait() -> None:
    with pytest.raises(ConfigError, match="nothing answers at http://"):
        async with VLLMTeacher(model="m", base_url=f"http://127.0.0.1:{port()}/v1", join_seconds=0.5).open():
            raise AssertionError("must not open")


async def test_a_joined_server_that_goes_away_is_waited_for_and_its_calls_are_answered(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = port()
    monkeypatch.setenv("FAKE_ANSWER", "0.5")
    teacher = VLLMTeacher(model="fake-model", base_url=f"http://127.0.0.1:{number}/v1", patience=30.0)
    async with server(fake, number) as first, teacher.open() as chat:
        calls = [asyncio.ensure_future(seen(chat, f"episode-{number}")) for number in range(20)]
        await asyncio.sleep(0.2)
        first.kill()
        first.wait()
        await asyncio.sleep(4)
        assert not any(call.done() for call in calls)
        async with server(fake, number) as second:
            answered = await asyncio.gather(*calls)
            assert {one["pid"] for one in answered} == {second.pid}
            assert chat.report()["restarts"] == 1


async def test_a_server_that_came_up_and_was_gone_before_its_first_answer_loses_a_call_and_not_the_run() -> None:
    replica = Replica(0, Gate())
    address = f"http://127.0.0.1:{port()}/v1"
    async with endpoint(address, model="m", gate=replica.gate, tries=2) as connections:
        replica.rise(connections)
        with pytest.raises(TeacherError, match="tried 2 times"):
            await replica.ask(b"{}", 0)


async def test_a_joined_server_that_stays_away_loses_the_calls_after_the_patience(fake: Fake) -> None:
    number = port()
    teacher = VLLMTeacher(model="fake-model", base_url=f"http://127.0.0.1:{number}/v1", patience=1.0)
    async with server(fake, number) as first, teacher.open() as chat:
        await seen(chat, "one")
        first.kill()
        first.wait()
        began = time.monotonic()
        with pytest.raises(TeacherError, match="came back within 1 s"):
            await seen(chat, "one")
        assert time.monotonic() - began < 10
        with pytest.raises(TeacherError, match="came back within 1 s"):
            await seen(chat, "two")
