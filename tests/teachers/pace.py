"""Measures what the openai teacher costs per call: ``python tests/teachers/pace.py [CALLS] [IN_FLIGHT] [LATENCY]``."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

from datafactory.teachers.openai import OpenAITeacher
from datafactory.types import Message

ASKED = [Message(role="system", content="be brief"), Message(role="user", content="question " * 50)]


async def measure(url: str, calls: int, in_flight: int) -> float:
    """Calls per second with `in_flight` workers."""
    left = iter(range(calls))
    async with OpenAITeacher(model="m", base_url=url, at_once=in_flight).open() as chat:

        async def work() -> None:
            for _ in left:
                await chat.reply(ASKED)

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(in_flight)))
        return calls / (time.perf_counter() - began)


def main() -> None:
    """Start the slow server in a process of its own, and measure."""
    calls, in_flight, latency = [*map(float, sys.argv[1:]), *(5000, 256, 0.2)[len(sys.argv) - 1 :]]
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("server.py")), str(latency)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout
        url = server.stdout.readline().strip()
        began = time.process_time()
        rate = asyncio.run(measure(url, int(calls), int(in_flight)))
        busy = time.process_time() - began
        print(f"{rate:,.0f} calls/s, of {in_flight / latency:,.0f} that the latency allows")
        print(f"{busy / calls * 1e6:,.0f} µs of CPU a call")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
