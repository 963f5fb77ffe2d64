"""A search of more than forty tool calls, killed in its middle: its first half is not paid for again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from datafactory.calls import CALLS, spending
from datafactory.storage import rows

ROOT = Path(__file__).parents[2]
STATIONS = 24
TURNS = 2 * STATIONS + 1
"""A search and a visit for each station, and the answer."""
KILLED = STATIONS
"""The call that is on its way when the run is killed: the first half is answered by then."""
FILE = """
name: line
teacher: {use: openai, model: served-model}
stages:
  - use: synthesize
    generators: [{use: 'riddle:Riddle', count: 1, corpus: {use: jsonl, files: [stations.jsonl]}}]
  - {use: rollout, attempts: 1, agent: search, max_turns: 128}
  - verify
"""


def stations() -> str:
    """Pages in a row, each naming the next."""
    said = [f"The next stop after Station {n} is Station {n + 1}." for n in range(STATIONS - 1)]
    said.append(f"Station {STATIONS - 1} is the end of the line.")
    pages = [{"url": f"s{n}", "title": f"Station {n}", "contents": text} for n, text in enumerate(said)]
    return "\n".join(map(json.dumps, pages))


def next_call(body: dict[str, Any], server: Any) -> Any:
    """What the scripted teacher says: it depends on nothing but how often it has spoken."""
    turn = sum(message["role"] == "assistant" for message in body["messages"])
    station, visits = divmod(turn, 2)
    if turn == TURNS - 1:
        name, arguments = "answer", {"answer": f"Station {STATIONS - 1}"}
    elif visits:
        name, arguments = "visit", {"url": f"s{station}", "goal": "the next stop"}
    else:
        name, arguments = "search", {"query": [f"next stop after Station {station}"]}
    call = {"id": f"c{turn}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    usage = {"prompt_tokens": 100 + turn, "completion_tokens": 10}
    return server.completion(None, tool_calls=[call], finish_reason="tool_calls", usage=usage)


async def start(folder: Path, url: str) -> asyncio.subprocess.Process:
    path = f"{ROOT}:{Path(__file__).with_name('extension')}"
    env = {**os.environ, "PYTHONPATH": path, "OPENAI_BASE_URL": url, "XDG_STATE_HOME": str(folder / "state")}
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "datafactory", "run", "line.yaml"]
    return await asyncio.create_subprocess_exec(*command, cwd=folder, env=env, stdout=pipe, stderr=pipe)


@pytest.mark.slow
async def test_a_long_search_that_is_killed_goes_on_where_it_was_and_pays_for_no_call_twice(
    tmp_path: Path, server: Any
) -> None:
    (tmp_path / "stations.jsonl").write_text(stations())
    (tmp_path / "line.yaml").write_text(FILE)
    reached, gone = asyncio.Event(), asyncio.Event()

    async def answer(number: int) -> Any:
        if number == KILLED:
            reached.set()
            await gone.wait()
        return next_call(served.bodies[number], server)

    async with server.serving(answer) as served:
        first = await start(tmp_path, served.url)
        ended = asyncio.create_task(first.wait())
        await asyncio.wait(
            {ended, reaching := asyncio.create_task(reached.wait())}, timeout=60, return_when="FIRST_COMPLETED"
        )
        assert reaching.done(), (await first.communicate())[1].decode()
        first.send_signal(signal.SIGKILL)
        await first.communicate()
        gone.set()
        assert len(served.bodies) == KILLED + 1
        assert spending(tmp_path / "runs" / "line" / CALLS).total.calls == KILLED

        second = await start(tmp_path, served.url)
        _, err = await asyncio.wait_for(second.communicate(), 60)
        assert second.returncode == 0, err.decode()

    sent = [json.dumps(body["messages"]) for body in served.bodies]
    assert len(sent) == TURNS + 1
    assert sent[KILLED] == sent[KILLED + 1], "the call that was on its way is the only one that is sent again"
    assert len(set(sent)) == TURNS
    spent = spending(tmp_path / "runs" / "line" / CALLS).total
    assert (spent.calls, spent.prompt_tokens) == (TURNS, sum(100 + turn for turn in range(TURNS)))

    (shelf,) = (tmp_path / "runs" / "line").glob("3-*/records.jsonl")
    (row,) = rows(shelf)
    calls = [call for message in row["messages"] for call in message.get("tool_calls", ())]
    assert len(calls) == TURNS > 40
    assert row["visited"] == [f"s{n}" for n in range(STATIONS)]
    assert (row["answer"], row["stop"], row["verdict"]["reward"]) == (f"Station {STATIONS - 1}", "submitted", 1.0)
