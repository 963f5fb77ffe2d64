"""Every sandbox holds a box to its limits: what takes too much ends, the box and its neighbours go on."""

from __future__ import annotations

import asyncio
import shutil
import time
import uuid
from contextlib import suppress

import pytest

from datafactory.errors import SandboxError
from datafactory.protocols import Box, SandboxHost
from datafactory.types import files
from tests.sandboxes.contract import DISK, EVERY_LIMIT, PIDS, alive, becomes, inside, outside

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]
SANDBOXES = EVERY_LIMIT

HOGS = {
    "program": ["python3", "-c", "x = b'x' * (1 << 30); input()"],
    "line": "python3 -c \"x = b'x' * (1 << 30)\"",
    "slow": ["python3", "-c", "x = []\nwhile 1: x.append(bytearray(8 << 20))"],
    "shell": "x=y; while :; do x=$x$x; done",
    "many": "for i in 1 2 3 4 5 6; do python3 -c \"x = b'x' * (100 << 20); import time; time.sleep(4)\" & done; wait",
}


async def test_a_fork_bomb_stays_in_its_box_and_ends_with_it(host: SandboxHost) -> None:
    word = f"bomb-{uuid.uuid4().hex}"
    begun = time.monotonic()
    async with host.open("base", files({"/app/kept": "kept"})) as box, host.open("base", {}) as neighbour:
        for bomb in (":(){ :|:& };:", ["bash", "-c", ":(){ :|:& };:", word], f"bash -c ':(){{ :|:& }};:' {word}"):
            await box.exec(bomb, timeout=2)
            assert len(outside(word)) <= PIDS
            await alive(neighbour)
        assert await box.read("/app/kept") == b"kept"
        await alive(box)
        async with host.open("base", {}) as next_one:
            await alive(next_one)
    assert time.monotonic() - begun < 60
    assert await becomes(lambda: not outside(word))


async def test_no_more_processes_than_allowed_and_the_box_recovers(box: Box) -> None:
    await box.exec("for i in {1..200}; do sleep 200 & done 2>/dev/null", timeout=8)
    assert (await inside(box)).count(b"sleep 200") <= PIDS
    await box.exec("kill -9 $(jobs -p) 2>/dev/null", timeout=5)
    await alive(box)


@pytest.mark.parametrize("kind", HOGS)
async def test_what_takes_too_much_memory_is_killed_and_the_box_goes_on(box: Box, kind: str) -> None:
    await box.write("/app/kept", b"kept")
    result = await box.exec(HOGS[kind], timeout=20)
    assert not result.timed_out
    assert result.exit_code == (0 if kind == "many" else 137)
    assert await box.read("/app/kept") == b"kept"
    await alive(box)


@pytest.mark.parametrize("folder", ["/app", "/tmp", "/dev/shm", "/dev", "/root"])
async def test_what_writes_too_much_stops_and_this_machines_disk_is_spared(box: Box, folder: str) -> None:
    before = shutil.disk_usage("/").free
    result = await box.exec(f"head -c 1G /dev/zero >{folder}/fill", timeout=30)
    assert result.exit_code not in (0, 124)
    size = await box.exec(["stat", "-c", "%s", f"{folder}/fill"])
    assert int(size.stdout or 0) <= DISK
    assert before - shutil.disk_usage("/").free < 1 << 30, "others write here too"
    await box.exec(f"rm -f {folder}/fill")
    await alive(box)


async def test_a_full_box_refuses_files_as_an_error_and_takes_them_once_there_is_room(box: Box) -> None:
    await box.exec("head -c 60M /dev/zero >fill; head -c 60M /dev/zero >fill2", timeout=30)
    with suppress(SandboxError):
        await box.write("/app/more", bytes(30 << 20))
    await box.exec("rm -f fill fill2 more")
    await box.write("/app/more", bytes(1 << 20))
    assert await box.read("/app/more") == bytes(1 << 20)
    await alive(box)


async def test_a_busy_box_leaves_time_to_the_others(host: SandboxHost) -> None:
    async with host.open("base", {}) as busy, host.open("base", {}) as other:
        spin = asyncio.create_task(busy.exec("for i in 1 2 3 4; do (while :; do :; done) & done; wait", timeout=2))
        for _ in range(5):
            await alive(other)
        assert (await spin).exit_code == 124
        await alive(busy)
