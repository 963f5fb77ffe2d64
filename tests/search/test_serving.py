"""A server's processes: where it says its address, how it stops, what its workers survive."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datafactory.corpora import Corpus
from datafactory.corpora.retrievers import BM25
from datafactory.corpora.server.client import served
from datafactory.corpora.server.serving import serve
from datafactory.errors import ConfigError

Start = Callable[..., Any]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_address_is_in_a_file_while_the_server_runs(small: Corpus, start: Start, tmp_path: Path, how: int) -> None:
    file = tmp_path / "new" / "address"
    server = start(small, more=f"save_address_to=Path({str(file)!r})")
    assert file.read_text() == f"{server.address}\n"
    server.stop(how)
    assert not file.exists()


def test_in_a_folder_the_file_is_named_as_asearchers_clients_look_for_it(
    small: Corpus, start: Start, tmp_path: Path
) -> None:
    server = start(small, more=f"host='0.0.0.0', save_address_to=Path({str(tmp_path)!r})")
    [file] = tmp_path.glob("Host*_IP*.txt")
    assert file.read_text().split() == [server.address] and not server.address.startswith("0.0.0.0")
    assert server.stop() == 0
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_a_mistake_in_words(server: Any, small: Corpus) -> None:
    with pytest.raises(ConfigError, match=f"cannot listen at 127.0.0.1:{server.port}"):
        serve(small, BM25(), port=server.port)


def workers(parent: int) -> set[int]:
    """The processes that were spawned by another and answer requests."""
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(pid) for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}


async def gone(pids: set[int]) -> bool:
    """Whether they all end within some seconds."""
    for _ in range(200):
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        await asyncio.sleep(0.05)
    return False


async def test_workers_share_the_port_and_a_dead_one_is_replaced(small: Corpus, start: Start) -> None:
    server = start(small, more="workers=2")

    async with served(small.name, address=server.url) as far:
        before = await far.retrieve(["json"])
        first = workers(server.process.pid)
        assert len(first) == 2
        killed = min(first)
        os.kill(killed, signal.SIGKILL)
        while len(workers(server.process.pid) - {killed}) < 2:
            await asyncio.sleep(0.05)
        left = workers(server.process.pid)
        assert len(left - first) == 1 and killed not in left
        assert await far.retrieve(["json"]) == before
    assert server.stop() == 0
    assert await gone(left)


async def test_workers_end_with_the_process_that_started_them(small: Corpus, start: Start) -> None:
    server = start(small, more="workers=2")
    left = workers(server.process.pid)
    server.stop(signal.SIGKILL)
    assert len(left) == 2 and await gone(left)
