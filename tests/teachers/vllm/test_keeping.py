"""Servers of our own against a stand-in for the program: started, watched, started again, and never left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datafactory.errors import ConfigError, RunError
from datafactory.protocols import Episode
from datafactory.teachers.vllm import owned
from datafactory.teachers.vllm.teacher import VLLMTeacher
from datafactory.types import Message

Fake = Callable[..., VLLMTeacher]

FACTORY = """
import asyncio, sys
from datafactory.teachers.vllm.teacher import VLLMTeacher

async def main():
    async with VLLMTeacher(model="fake-model", program=sys.argv[1]).open():
        print("up", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def asked(text: str = "hi") -> list[Message]:
    return [Message(role="user", content=text)]


async def seen(chat: Any, episode: str | None = None, text: str = "hi") -> dict[str, Any]:
    """What the stand-in that answered saw."""
    reply = await chat.reply(asked(text), episode=Episode(episode, 1) if episode else None)
    found: dict[str, Any] = json.loads(reply.message.content)
    return found


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


async def gone(*pids: int, within: float) -> bool:
    until = time.monotonic() + within
    while any(map(alive, pids)) and time.monotonic() < until:
        await asyncio.sleep(0.1)
    return not any(map(alive, pids))


async def test_a_server_is_started_asked_and_ended_with_all_that_it_started(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CHILD", str(tmp_path / "child"))
    async with fake().open() as chat:
        pid = (await seen(chat))["pid"]
        child, server = map(int, (tmp_path / "child").read_text().split())
        assert pid == server
        assert alive(child)
    assert not alive(pid)
    assert not alive(child), "a child of the server's, in a session of its own and deaf to SIGTERM, was left behind"


def test_a_factory_that_is_killed_leaves_no_process_behind(fake: Fake, tmp_path: Path) -> None:
    environment = {**os.environ, "FAKE_CHILD": str(tmp_path / "child")}
    factory = subprocess.Popen(
        [sys.executable, "-c", FACTORY, str(fake().program)], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert factory.stdout is not None
        assert factory.stdout.readline() == "up\n"
        child, server = map(int, (tmp_path / "child").read_text().split())
        assert alive(child) and alive(server)
    finally:
        factory.kill()
        factory.wait()
    assert asyncio.run(gone(child, server, within=15.0))


async def test_a_killed_server_comes_back_and_every_call_in_flight_is_answered(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_ANSWER", "0.5")
    async with fake().open() as chat:
        first = (await seen(chat))["pid"]
        calls = [asyncio.ensure_future(seen(chat, f"episode-{number}")) for number in range(40)]
        await asyncio.sleep(0.2)
        os.kill(first, signal.SIGKILL)
        answered = await asyncio.gather(*calls)
        assert first not in {one["pid"] for one in answered}
        assert chat.report()["restarts"] == 1


async def test_a_server_that_dies_again_and_again_is_given_up_with_the_words_of_its_log(fake: Fake) -> None:
    async with fake().open() as chat:
        with pytest.raises(RunError, match="given up") as raised:
            await seen(chat, text="die")
        assert "the whole log: " in str(raised.value)
        assert chat.report()["restarts"] == owned.STARTS - 1
        with pytest.raises(RunError, match="given up"):
            await seen(chat)


async def test_a_start_that_fails_ends_at_once_with_the_words_of_the_log(
    fake: Fake, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DIES", "there is no such model")
    with pytest.raises(ConfigError) as raised:
        async with fake().open():
            raise AssertionError("must not open")
    assert "ValueError: there is no such model" in str(raised.value)
    assert "Engine core initialization failed" not in str(raised.value), "it only points to the reason above"
    (log,) = state.glob("*.log")
    assert str(log) in str(raised.value)
    assert "fake-model" in log.read_text()


async def test_a_slow_start_is_waited_for_while_the_process_lives(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SLOW", "2")
    async with fake().open() as chat:
        assert await seen(chat)
    with pytest.raises(RunError, match="was not ready after 1 s"):
        async with fake(start_seconds=1.0).open():
            raise AssertionError("must not open")


async def test_replicas_share_the_gpus_and_the_environment_is_vllms_own(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b,2,3,4,5")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("VLLM_API_KEY", "secret-key")
    monkeypatch.setenv("HF_HOME", "/nowhere/hf")
    async with fake(replicas=3, tensor_parallel=2).open() as chat:
        found = await asyncio.gather(*(seen(chat, f"episode-{number}") for number in range(30)))
        assert chat.gpus == 6
    assert {one["gpus"] for one in found} == {"GPU-a,GPU-b", "2,3", "4,5"}
    assert not {"PYTHONPATH", "VLLM_API_KEY"} & set(found[0]["environment"])
    assert "HF_HOME" in found[0]["environment"]
    assert found[0]["argv"][found[0]["argv"].index("--tensor-parallel-size") + 1] == "2"


async def test_teachers_that_ask_the_same_server_for_other_things_share_it(fake: Fake) -> None:
    async with fake(temperature=0.0).open() as cold, fake(temperature=1.0, max_tokens=9).open() as hot:
        assert (await seen(cold))["pid"] == (await seen(hot))["pid"]
        assert cold.gpus == hot.gpus == 1
        assert cold.engine is hot.engine, "or the GPUs would be counted twice"
        async with fake(max_model_len=512).open() as other:
            assert (await seen(other))["pid"] != (await seen(cold))["pid"]


async def test_what_the_servers_did_is_on_file_at_the_end(fake: Fake, state: Path) -> None:
    async with fake().open() as chat:
        await asyncio.gather(*(seen(chat) for _ in range(10)))
        await asyncio.sleep(1.5)
        live = chat.report()
    (line,) = (state / "reports.jsonl").read_text().splitlines()
    report = json.loads(line)
    assert report["prefix_hit_rate"] == live["prefix_hit_rate"] == 0.8
    assert report["context"] == 1024
    assert report["model"] == "fake-model"


async def test_more_answer_tokens_than_the_context_holds_are_a_mistake(fake: Fake) -> None:
    with pytest.raises(ConfigError, match="max_tokens is 2000, and the model's whole context is 1024"):
        async with fake(max_tokens=2000).open():
            raise AssertionError("must not open")


async def test_a_start_that_is_called_off_leaves_no_process_behind(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SLOW", "60")
    monkeypatch.setenv("FAKE_CHILD", str(tmp_path / "child"))
    opening = asyncio.ensure_future(fake().open().__aenter__())
    while not (tmp_path / "child").exists():
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.2)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not any(alive(int(pid)) for pid in (tmp_path / "child").read_text().split())


async def test_a_proxy_of_the_environments_is_no_way_to_our_own_servers(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with fake().open() as chat:
        assert (await seen(chat))["argv"][0] == "serve"


async def test_a_port_that_somebody_took_meanwhile_is_no_mistake_of_the_users(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_TAKEN", str(tmp_path / "once"))
    async with fake().open() as chat:
        assert (await seen(chat))["argv"][0] == "serve"
    assert (tmp_path / "once").exists()


async def test_tools_for_a_model_whose_calls_nothing_reads_are_a_mistake(fake: Fake) -> None:
    tool = {"type": "function", "function": {"name": "bash", "parameters": {"type": "object"}}}
    async with fake().open() as chat:
        with pytest.raises(ConfigError, match="no parser is known for the tool calls of 'fake-model'"):
            await chat.reply(asked(), tools=[tool])
    async with fake(tool_parser="hermes").open() as chat:
        assert await chat.reply(asked(), tools=[tool])


async def test_a_keeper_that_is_killed_takes_its_server_along_and_another_is_started(fake: Fake) -> None:
    async with fake().open() as chat:
        first = (await seen(chat))["pid"]
        os.kill(int(Path(f"/proc/{first}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
        assert await gone(first, within=5.0)
        assert (await seen(chat))["pid"] != first
