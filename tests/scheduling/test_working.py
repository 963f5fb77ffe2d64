"""A slot's work is real runs in processes of their own: held against bars, told of, gone on with after a kill."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from datafactory.scheduling import Book, Commands, MachineClock, Slot
from tests.scheduling.conftest import Write

AT = datetime(2026, 3, 27, 3, tzinfo=UTC)


@pytest.fixture
async def hook() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook that refuses the first news, and what it took."""
    took: list[dict[str, Any]] = []
    calls = 0

    async def take(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        if calls == 1:
            return web.Response(status=503)
        took.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}/hook", took
    await runner.cleanup()


def slot_of(name: str) -> Slot:
    return Slot(job=name, at=AT, run=f"{name}-20260327T0300Z", began=AT)


@pytest.mark.namespace
async def test_a_run_under_its_bars_is_held_and_told_of(
    job: Write, tmp_path: Path, hook: tuple[str, list[dict[str, Any]]]
) -> None:
    url, took = hook
    nightly = job(bars={"rows": 50, "solved_min": 0.5}, webhook=url, budget={"calls": 1000})
    book = Book(tmp_path / "book")
    book.take(slot_of("nightly"))
    made = await Commands(book, tmp_path / "runs", MachineClock()).work(nightly, slot_of("nightly"))
    assert made.state == "held"
    assert made.reasons == ("rows: 2 is under the bar of 50",)
    assert made.facts["soundness"] == made.facts["solved"] == 1.0
    assert made.told
    assert [(news["state"], news["run"]) for news in took] == [("held", "nightly-20260327T0300Z")]
    assert "rows: 2 is under the bar of 50" in took[0]["text"]
    ran = json.loads((tmp_path / "runs" / made.run / "run.json").read_text())
    assert ran["seed"] == 202603270300
    log = (tmp_path / "book" / "nightly" / "20260327T0300Z.log").read_text()
    assert "$ datafactory run " in log


async def test_a_run_that_cannot_begin_fails_with_its_last_words(job: Write, tmp_path: Path) -> None:
    nightly = job(tries=2)
    (tmp_path / "powers.yaml").write_text("name: powers\nseed: 1\nstages: [{use: nothing}]\n")
    book = Book(tmp_path / "book")
    made = await Commands(book, tmp_path / "runs", MachineClock()).work(nightly, slot_of("nightly"))
    assert made.state == "failed"
    assert "ended with code 2, 1 times: error: " in made.reasons[0]
    assert "nothing" in made.reasons[0]


def keeper(folder: Path, *more: str) -> subprocess.Popen[str]:
    """`datafactory schedule run`, as a process."""
    command = [sys.executable, "-m", "datafactory", "schedule", "run", "--jobs", "jobs", *more]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)


@pytest.mark.namespace
async def test_a_keeper_that_is_killed_midway_finishes_the_slot_with_the_next(job: Write, tmp_path: Path) -> None:
    job(cron="0 3 * * *", catch_up="newest", late=10**6)
    book = Book(tmp_path / "jobs" / ".book")
    book.place("nightly", "since").parent.mkdir(parents=True)
    book.place("nightly", "since").write_text("2026-03-26T12:00:00+00:00")
    first = keeper(tmp_path)
    while not list((tmp_path / "runs").glob("nightly-*/1-*/records.jsonl")):
        await asyncio.sleep(0.05)
        assert first.poll() is None, first.stderr and first.stderr.read()
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert [slot.state for slot in book.slots("nightly")] == ["running"]
    done = keeper(tmp_path, "--once")
    _, said = done.communicate(timeout=120)
    assert done.returncode == 0, said
    slots = list(book.slots("nightly"))
    assert [slot.state for slot in slots] == ["done"], said
    assert slots[0].besides > 100
    assert len(list((tmp_path / "runs").iterdir())) == 1
