"""Boxes of namespaces under attack: limits hold, the box stays usable, and nothing outlives it or the factory."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from datafactory.protocols import Box, SandboxHost
from sandboxes.namespace import NamespaceSandbox
from sandboxes.namespace.probe import look

pytestmark = pytest.mark.namespace

SMALL = {"memory": "200m", "disk": "32m", "pids": 64}
KINDS = {
    "unshare": NamespaceSandbox(engine="unshare", **SMALL),
    "bubblewrap": NamespaceSandbox(engine="bubblewrap", **SMALL),
    "ordinary user": NamespaceSandbox(engine="unshare", limiting="watch", **SMALL),
}


@pytest.fixture(params=list(KINDS))
async def host(request: pytest.FixtureRequest) -> AsyncIterator[SandboxHost]:
    """Every way to make a box that this machine has."""
    spec = KINDS[request.param]
    if spec.engine == "bubblewrap" and not look().bubblewrap:
        pytest.skip("bubblewrap is not installed")
    async with spec.start() as started:
        yield started


@pytest.fixture
async def box(host: SandboxHost) -> AsyncIterator[Box]:
    """A small box."""
    async with host.open("base", {}) as opened:
        yield opened


async def alive(box: Box) -> bool:
    """Whether the box still does what it should."""
    await box.write("/app/alive", b"yes")
    result = await box.exec("cat /app/alive", timeout=20)
    return (result.exit_code, result.stdout) == (0, b"yes") and "/app/alive" in (await box.pull(["/app/"]))[0]


async def test_processes_are_counted_and_a_bomb_is_ended_with_its_line(box: Box) -> None:
    line = "for i in $(seq 300); do sleep 1000 & done 2>/dev/null; pgrep -c sleep; wait"
    result = await box.exec(line, timeout=8)
    assert result.exit_code in (124, 254)
    assert not result.stdout or int(result.stdout) < 64
    assert await alive(box)
    assert (await box.exec(["bash", "-c", "b() { b | b & }; b; sleep 60"], timeout=1)).exit_code in (1, 124, 254)
    assert await alive(box)


async def test_a_bomb_in_the_background_does_not_keep_files_from_travelling(box: Box) -> None:
    await box.exec("b() { b | b & }; b 2>/dev/null >&2", timeout=5)
    await box.write("/app/x", b"x")
    assert "/app/x" in (await box.pull(["/app/"]))[0]


async def test_a_memory_hog_is_killed(box: Box) -> None:
    hog = "x = [bytearray(8 << 20) for _ in range(125) if not __import__('time').sleep(0.01)]"
    assert (await box.exec(["python3", "-c", hog], timeout=30)).exit_code in (137, 1)
    assert await alive(box)


async def test_the_disk_ends(box: Box) -> None:
    result = await box.exec("head -c 1G /dev/zero >/app/full; stat -c %s /app/full; rm /app/full", timeout=30)
    assert "No space left" in result.output and int(result.stdout) <= 32 << 20
    assert await alive(box)


@pytest.mark.parametrize("command", ["kill -9 -1", ["bash", "-c", "kill -9 -1"], "pkill -9 bash", ["pkill", "bash"]])
async def test_killing_everything_kills_no_box(box: Box, command: str | list[str]) -> None:
    await box.exec("cd /usr; sleep 1000 &")
    result = await box.exec(command, timeout=10)
    assert not result.timed_out
    assert (await box.exec("pwd")).stdout in (b"/usr\n", b"/app\n")
    assert await alive(box)


async def test_daemons_that_hide_end_with_the_line_that_timed_out(box: Box) -> None:
    await box.exec("sleep 1000 &")
    result = await box.exec("(setsid bash -c 'sleep 1001 & sleep 1002' >/dev/null 2>&1 &); sleep 60", timeout=0.5)
    assert result.timed_out
    assert (await box.exec("pgrep -a sleep | cut -d' ' -f2-")).stdout == b"sleep 1000\n"


async def test_nothing_outlives_a_box(host: SandboxHost) -> None:
    async with host.open("base", {}) as box:
        await box.exec("(setsid sleep 1234.5 >/dev/null 2>&1 &); nohup sleep 1234.5 & sleep 0.1")
        assert subprocess.run(["pgrep", "-f", "sleep 1234[.]5"], capture_output=True).stdout.count(b"\n") == 2
    for _ in range(100):
        if not subprocess.run(["pgrep", "-f", "sleep 1234[.]5"], capture_output=True).stdout:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("a process outlived its box")


FACTORY = """
import asyncio, sys
from sandboxes.namespace import NamespaceSandbox
async def main():
    async with NamespaceSandbox(engine=sys.argv[1]).start() as host, host.open("base", {}) as box:
        await box.exec("(setsid sleep 4321.5 >/dev/null 2>&1 &); while :; do :; done & echo")
        print("ready", flush=True)
        await box.exec("while :; do :; done", timeout=600)
asyncio.run(main())
"""


@pytest.mark.parametrize("engine", ["unshare", "bubblewrap"])
async def test_a_killed_factory_leaves_nothing_behind(engine: str) -> None:
    if engine == "bubblewrap" and not look().bubblewrap:
        pytest.skip("bubblewrap is not installed")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    factory = subprocess.Popen([sys.executable, "-c", FACTORY, engine], stdout=subprocess.PIPE, env=environment)
    assert factory.stdout is not None and factory.stdout.readline() == b"ready\n"
    groups = f"/sys/fs/cgroup/**/datafactory-box-{factory.pid}-*"
    factory.send_signal(signal.SIGKILL)
    factory.wait()
    factory.stdout.close()
    for _ in range(150):
        if not subprocess.run(["pgrep", "-f", "sleep 4321[.]5"], capture_output=True).stdout:
            break
        await asyncio.sleep(0.02)
    else:
        raise AssertionError("a process outlived the factory")
    assert "datafactory" not in Path("/proc/self/mounts").read_text()
    async with NamespaceSandbox(engine=engine).start():
        pass
    assert not list(Path("/").glob(groups.lstrip("/")))
