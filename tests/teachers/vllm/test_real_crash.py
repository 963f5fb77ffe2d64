"""A real vLLM that is killed, and a factory that is, in turn, in the middle of many calls."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datafactory.teachers.vllm.keeper import descendants
from datafactory.teachers.vllm.program import Program

pytestmark = [pytest.mark.vllm, pytest.mark.slow]

FACTORY = """
import asyncio, json, sys
from datafactory.protocols import Episode
from datafactory.teachers.vllm.teacher import VLLMTeacher
from datafactory.types import Message

CALLS = 48

async def main():
    teacher = VLLMTeacher(
        model=sys.argv[1], max_tokens=800, temperature=1.0, extra={"ignore_eos": True}, tuning={"enforce-eager": True}
    )
    async with teacher.open() as chat:
        asked = [[Message(role="user", content=f"call {number}")] for number in range(CALLS)]
        calls = [
            asyncio.ensure_future(chat.reply(messages, episode=Episode(str(number), number)))
            for number, messages in enumerate(asked)
        ]
        print("asked", flush=True)
        replies = await asyncio.gather(*calls)
        tokens = sum(reply.usage.completion_tokens for reply in replies)
        print(json.dumps({"tokens": tokens, **chat.report()}), flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def test_a_killed_server_loses_no_call_and_a_killed_factory_leaves_no_process(
    vllm: Program, small_model: Path, real_environment: dict[str, str], state: Path
) -> None:
    own = {"DATAFACTORY_VLLM": str(vllm.path), "XDG_STATE_HOME": str(state.parents[1])}
    environment = {**real_environment, **own}
    factory = subprocess.Popen(
        [sys.executable, "-c", FACTORY, str(small_model)], env=environment, stdout=subprocess.PIPE, text=True
    )
    left: list[int] = []
    try:
        assert factory.stdout is not None
        assert factory.stdout.readline() == "asked\n"
        time.sleep(0.5)
        _, *servers = descendants(factory.pid)
        assert len(servers) >= 2, "a server and its engine"
        for pid in servers:
            os.kill(pid, signal.SIGKILL)
        report = json.loads(factory.stdout.readline())
        assert report["tokens"] == 48 * 800, "every call was answered, and whole"
        assert report["restarts"] == 1
        left = descendants(factory.pid)
        assert len(left) >= 3, "the keeper, a server and its engine"
    finally:
        factory.kill()
        factory.wait()
    until = time.monotonic() + 20
    while (running := [pid for pid in left if Path(f"/proc/{pid}").exists()]) and time.monotonic() < until:
        time.sleep(0.2)
    assert not running, f"{len(running)} processes outlived the factory"
