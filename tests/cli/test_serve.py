"""`datafactory serve`: runs in the browser while they go on, for this machine and nobody else."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.cli.browser import tab


@pytest.fixture
def served(runs: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a server, and the folder of the run `demo` that it shows."""
    shutil.copytree(runs / "demo", tmp_path / "runs" / "demo")
    secret = tmp_path / "elsewhere" / "secret"
    shutil.copytree(runs / "demo", secret)
    command = [sys.executable, "-m", "datafactory", "serve", "--port", "0", "--runs", "runs"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    try:
        assert process.stderr is not None
        yield process.stderr.readline().split()[0], tmp_path / "runs" / "demo"
    finally:
        process.terminate()
        process.communicate(timeout=20)


async def get(address: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    async with aiohttp.ClientSession() as session:
        for _ in range(100):
            try:
                async with session.get(address, headers=headers) as answer:
                    return answer.status, await answer.text(), dict(answer.headers)
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.1)
    raise AssertionError("the server does not answer")


async def test_runs_are_listed_and_shown_and_nothing_else_is(served: tuple[str, Path]) -> None:
    home, _ = served
    status, text, headers = await get(f"{home}runs.json")
    assert status == 200
    assert '"name":"demo"' in text
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    for path, wanted in (("", 200), ("runs/demo", 200), ("runs/demo/facts.json", 200), ("runs/none", 404)):
        assert (await get(f"{home}{path}"))[0] == wanted, path
    for path in ("runs/..%2f..%2felsewhere%2fsecret", "runs/%2e%2e/facts.json", "runs/.", "docs", "openapi.json"):
        assert (await get(f"{home}{path}"))[0] == 404, path


async def test_a_page_from_elsewhere_cannot_ask_by_another_name(served: tuple[str, Path]) -> None:
    home, _ = served
    assert (await get(home))[0] == 200
    assert (await get(home, Host="rebound.example"))[0] == 400
    assert (await get(f"{home}runs/demo", Host="localhost"))[0] == 200


async def test_the_pages_policy_lets_it_ask_its_own_server_alone(served: tuple[str, Path]) -> None:
    home, _ = served
    for path in ("", "runs/demo"):
        _, text, _ = await get(f"{home}{path}")
        assert "default-src 'none'; connect-src 'self'; script-src 'sha256-" in text.replace("&#39;", "'")


@pytest.mark.chromium
async def test_numbers_change_while_somebody_looks(served: tuple[str, Path], tmp_path: Path) -> None:
    home, run = served
    async with tab(tmp_path / "profile") as page:
        await page.open(home)
        await page.until("document.querySelector('#runs a')?.textContent === 'demo'")
        await page.open(f"{home}runs/demo", width=390)
        await page.until("document.querySelectorAll('#live .stages li').length === 5")
        before = await page.value("document.querySelector('#live').textContent")
        stage = next(run.glob("2-rollout-*"))
        records = (stage / "records.jsonl").read_bytes().splitlines()
        more = records[-1].replace(b'"attempt":1', b'"attempt":9')
        assert more != records[-1]
        with (stage / "records.jsonl").open("ab") as file:
            file.write(more + b"\n")
        await page.until("/attempts? came since/.test(document.querySelector('#live').textContent)")
        assert await page.value("document.querySelector('#live').textContent") != before
        errors = [told for told in page.events if told["method"] in ("Runtime.exceptionThrown",)]
        assert errors == []
