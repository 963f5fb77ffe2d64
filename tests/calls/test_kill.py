"""`kill -9` in the middle of calls, again and again: nothing is lost, and what is sent again is what was in flight."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from datafactory.calls import CALLS, spending
from datafactory.storage import rows

ROOT = Path(__file__).parents[2]
AT_ONCE, COUNT, TURNS = 8, 60, 5
FILE = f"""
name: quiz
teacher: {{use: openai, model: served-model, at_once: {AT_ONCE}}}
stages:
  - {{use: 'quiz:Ask', count: {COUNT}, turns: {TURNS}, at_once: {AT_ONCE}}}
  - 'quiz:Mark'
"""


class Desk:
    """A folder with a pipeline file, the command run in it, and the server that it asks."""

    def __init__(self, folder: Path, served: Any) -> None:
        self.folder = folder
        self.served = served
        self.file = folder / "quiz.yaml"
        self.file.write_text(FILE)
        self.run = folder / "runs" / "quiz"

    async def start(self, *flags: str) -> asyncio.subprocess.Process:
        path = f"{ROOT}:{Path(__file__).with_name('extension')}"
        env = {**os.environ, "PYTHONPATH": path, "OPENAI_BASE_URL": self.served.url}
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-m", "datafactory", "run", "quiz.yaml", *flags]
        return await asyncio.create_subprocess_exec(*command, cwd=self.folder, env=env, stdout=pipe, stderr=pipe)

    async def command(self, *flags: str) -> tuple[int | None, str, str]:
        process = await self.start(*flags)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, out.decode(), err.decode()

    async def kill_after(self, more: int) -> bool:
        """Kill once `more` calls came, and at a random moment then; False where it ended before."""
        goal, deadline = len(self.served.bodies) + more, time.monotonic() + 60
        process = await self.start()
        while len(self.served.bodies) < goal and process.returncode is None:
            assert time.monotonic() < deadline, "the run makes no progress"
            await asyncio.sleep(0.001)
        await asyncio.sleep(random.random() * 0.02)
        killed = process.returncode is None
        if killed:
            process.send_signal(signal.SIGKILL)
        await process.communicate()
        return killed

    def sent(self) -> Counter[str]:
        return Counter(json.dumps(body["messages"]) for body in self.served.bodies)

    def answers(self) -> dict[str, tuple[str, ...]]:
        (path,) = self.run.glob("2-*/records.jsonl")
        return {row["id"]: tuple(row["said"]) for row in rows(path)}


@pytest.mark.slow
async def test_a_run_that_is_killed_again_and_again_pays_for_what_was_in_flight_alone(
    tmp_path: Path, server: Any
) -> None:
    async with server.serving(lambda n: server.completion(f"answer {n}", usage={"prompt_tokens": 3})) as served:
        desk = Desk(tmp_path, served)
        kills = 0
        for _ in range(8):
            before = sum(count - 1 for count in desk.sent().values())
            kills += await desk.kill_after(random.randint(4, 30))
            again = sum(count - 1 for count in desk.sent().values()) - before
            assert again <= AT_ONCE, "more was sent again than had been in flight"
        assert kills == 8, "too few items to kill it so often"
        code, _, err = await desk.command()
        assert code == 0, err
        sent = desk.sent()
        assert len(served.bodies) - COUNT * TURNS <= kills * AT_ONCE
        assert spending(desk.run / CALLS).total.calls == COUNT * TURNS

        made = desk.answers()
        assert {key: len(said) for key, said in made.items()} == {f"q{n}": TURNS for n in range(COUNT)}
        given = [answer for said in made.values() for answer in said]
        assert len(set(given)) == COUNT * TURNS
        assert {int(answer.split()[1]) for answer in given} <= set(range(len(served.bodies)))
        assert len(sent) >= COUNT * TURNS

        total = len(served.bodies)
        code, out, err = await desk.command("--from", "ask")
        assert code == 0, err
        assert len(served.bodies) == total, "a replay of a finished run made calls"
        assert f"teachers, in all: {COUNT * TURNS} calls, {3 * COUNT * TURNS} tokens; {COUNT * TURNS} answers" in out
        assert desk.answers() == made


async def test_a_run_that_is_stopped_by_a_cap_says_so_and_has_an_exit_code_of_its_own(
    tmp_path: Path, server: Any
) -> None:
    async with server.serving(lambda n: server.completion(f"answer {n}", usage={"prompt_tokens": 3})) as served:
        desk = Desk(tmp_path, served)
        desk.file.write_text(FILE + "budget: {calls: 40}\n")
        code, out, err = await desk.command()
        assert (code, len(served.bodies)) == (6, 40), err
        assert "stopped cleanly: budget.calls is spent: 40 of 40. In all the run spent 40 calls, 120 tokens" in err
        assert "raise the cap in quiz.yaml and go on with: datafactory run quiz.yaml" in err
        assert "capped (the budget is spent)" in err
        assert "Traceback" not in err
        code, out, _ = await desk.command("--json")
        said = json.loads(out)
        assert (code, said["capped"], said["complete"]) == (6, "budget.calls is spent: 40 of 40", False)
        assert (said["spent"]["calls"], [row["state"] for row in said["stages"]]) == (40, ["capped", "held"])
        assert len(served.bodies) == 40
        desk.file.write_text(FILE + "budget: {calls: 4000}\n")
        code, _, err = await desk.command()
        assert (code, len(served.bodies)) == (0, COUNT * TURNS), err


async def test_asking_again_pays_anew_and_sets_the_answers_aside(tmp_path: Path, server: Any) -> None:
    async with server.serving(lambda n: server.completion(f"answer {n}")) as served:
        desk = Desk(tmp_path, served)
        desk.file.write_text(FILE.replace(f"count: {COUNT}", "count: 4"))
        assert (await desk.command())[0] == 0
        first = desk.answers()
        code, _, err = await desk.command("--from", "ask", "--ask-again")
        assert (code, len(served.bodies)) == (0, 2 * 4 * TURNS), err
        assert "set aside: runs/quiz/before/" in err
        assert CALLS in err
        assert desk.answers() != first
        (before,) = desk.run.glob("before/*")
        assert {path.name.partition("-")[0] for path in before.iterdir()} >= {CALLS, "1", "2"}


async def test_a_damaged_ledger_stops_the_run_and_the_way_out_is_one(tmp_path: Path, server: Any) -> None:
    async with server.serving(lambda n: server.completion(f"answer {n}")) as served:
        desk = Desk(tmp_path, served)
        desk.file.write_text(FILE.replace(f"count: {COUNT}", "count: 2"))
        desk.run.mkdir(parents=True)
        (desk.run / CALLS).write_text("no database\n" * 100)
        code, _, err = await desk.command()
        assert (code, len(served.bodies)) == (1, 0)
        assert err.startswith("error: runs/quiz/calls.sqlite: not a readable ledger of calls (file is not a database)")
        code, _, err = await desk.command("--ask-again")
        assert (code, len(served.bodies)) == (0, 2 * TURNS), err
        (kept,) = desk.run.glob(f"before/*/{CALLS}")
        assert kept.read_text().startswith("no database")
