"""What the sandbox benchmark measures: ways to run a command in a box, timed in turns, and ways to open boxes."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

from datafactory.protocols import Box, SandboxHost
from sandboxes.docker import DockerSandbox
from sandboxes.namespace import NamespaceSandbox

IMAGE = "base"
REFERENCE = "datafactory/base:latest"
ACTIONS = (
    "pwd && ls -la",
    "mkdir -p work && cd work && echo 'a,b' > t.csv",
    'for i in 1 2 3 4 5; do echo "$i,$((i * i))" >> t.csv; done',
    "cat t.csv",
    "wc -l t.csv; sort -t, -k2 -n t.csv | tail -n 2",
    "grep -c , t.csv || true",
)
"""An agent's six commands, five times over in an episode of thirty."""
EPISODE = ACTIONS * 5

Command = Callable[[], Awaitable[bytes]]


@dataclass
class Way:
    """One way to run a command: `run` gives what `echo ok` printed."""

    name: str
    run: Command
    every: int
    """It runs in every so many rounds: what takes long is sampled less."""


@dataclass(frozen=True)
class Peers:
    """The same container reached as others reach it."""

    container: Any

    async def sdk(self, line: str) -> bytes:
        """`exec_run` of the Docker SDK, on a thread."""
        answer = await asyncio.to_thread(self.container.exec_run, ["bash", "-c", line])
        return bytes(answer.output)

    async def cli(self, line: str) -> bytes:
        """One process of the Docker CLI an action, in a login shell, as mini-swe-agent has it."""
        argv = ["docker", "exec", self.container.id, "bash", "-lc", line]
        process = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = await process.communicate()
        return said


def namespaces() -> dict[str, NamespaceSandbox]:
    """The namespace engines that this machine has."""
    found = {"unshare": NamespaceSandbox(engine="unshare")} if shutil.which("unshare") else {}
    return found | ({"bubblewrap": NamespaceSandbox(engine="bubblewrap")} if shutil.which("bwrap") else {})


def ways_of(name: str, box: Box) -> list[Way]:
    """A line and a program in an open box."""

    async def line() -> bytes:
        return (await box.exec("echo ok")).stdout

    async def program() -> bytes:
        return (await box.exec(["echo", "ok"])).stdout

    return [Way(f"{name}, line", line, 1), Way(f"{name}, program", program, 1)]


async def latencies(count: int, every: int) -> dict[str, list[float]]:
    """Seconds of each of `count` commands, one after another, every way taking turns with the others."""
    import docker

    client = docker.from_env()
    async with AsyncExitStack() as stack:
        stack.callback(client.close)
        host = await stack.enter_async_context(DockerSandbox(pool=0).start())
        held = await stack.enter_async_context(host.open(IMAGE, {}))
        peers = Peers(client.containers.get(held.container))
        ways = ways_of("docker box", held)
        for name, recipe in namespaces().items():
            local = await stack.enter_async_context(recipe.start())
            ways += ways_of(f"{name} box", await stack.enter_async_context(local.open(IMAGE, {})))
        ways.append(Way("docker SDK exec_run", lambda: peers.sdk("echo ok"), every))
        ways.append(Way("docker exec CLI, bash -lc", lambda: peers.cli("echo ok"), every))
        return await in_turns(ways, count)


async def in_turns(ways: Sequence[Way], count: int) -> dict[str, list[float]]:
    """Time each way; a wrong answer of ours ends the benchmark, an empty one of a peer's is left out."""
    spent: dict[str, list[float]] = {way.name: [] for way in ways}
    for number in range(-3, count):
        for way in ways:
            if number % way.every and number >= 0:
                continue
            begun = time.perf_counter()
            said = await way.run()
            took = time.perf_counter() - begun
            if said != b"ok\n" and way.every == 1:
                raise SystemExit(f"{way.name} answered {said!r}")
            if number >= 0 and said:  # the rounds before are for warming up
                spent[way.name].append(took)
    return spent


async def episodes(count: int) -> dict[str, list[float]]:
    """Seconds of an episode of 30 commands in a box that is open, `count` times each, in turns."""
    import docker

    client = docker.from_env()
    spent: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        stack.callback(client.close)
        host = await stack.enter_async_context(DockerSandbox(pool=0).start())
        held = await stack.enter_async_context(host.open(IMAGE, {}))
        peers = Peers(client.containers.get(held.container))
        runs: dict[str, Callable[[str], Awaitable[Any]]] = {"docker box": held.exec}
        for name, recipe in namespaces().items():
            local = await stack.enter_async_context(recipe.start())
            runs[f"{name} box"] = (await stack.enter_async_context(local.open(IMAGE, {}))).exec
        runs |= {"docker SDK exec_run": peers.sdk, "docker exec CLI, bash -lc": peers.cli}
        for _ in range(count):
            for name, run in runs.items():
                begun = time.perf_counter()
                for action in EPISODE:
                    await run(action)
                spent.setdefault(name, []).append(time.perf_counter() - begun)
    return spent


@dataclass(frozen=True)
class Pace:
    """How fast boxes came: open, one command, close; `waits` in seconds, from asking for a box to having it."""

    way: str
    workers: int
    boxes: int
    seconds: float
    waits: tuple[float, ...]
    mute: int = 0
    """Commands whose output was lost, as the engine now and then does to an `exec_run`; ours may lose none."""

    @property
    def per_second(self) -> float:
        """Boxes opened, used and closed in a second."""
        return self.boxes / self.seconds

    @property
    def wait(self) -> float:
        """Median seconds from asking to having."""
        return statistics.median(self.waits)


async def pace(way: str, host: SandboxHost, *, workers: int, boxes: int, stay: float) -> Pace:
    """`workers` at a time open a box, run a command, stay in it for `stay` seconds and close it."""
    waits: list[float] = []
    left = iter(range(boxes))

    async def work() -> None:
        for _ in left:
            begun = time.perf_counter()
            async with host.open(IMAGE, {}) as box:
                waits.append(time.perf_counter() - begun)
                if (await box.exec("echo ok")).stdout != b"ok\n":
                    raise SystemExit(f"{way}: a box did not answer")
                await asyncio.sleep(stay)

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(workers)))
    return Pace(way, workers, boxes, time.perf_counter() - begun, tuple(waits))


async def paces(workers: Sequence[int], boxes: int, stay: float) -> list[Pace]:
    """Boxes a second for each sandbox, with and without the pool, and by the SDK alone."""
    found: list[Pace] = []
    for number in workers:
        for way, pool in (("docker, no pool", 0), (f"docker, pool of {max(4, number)}", max(4, number))):
            async with DockerSandbox(pool=pool).start() as host:
                async with host.open(IMAGE, {}):  # the first box starts the pool
                    await asyncio.sleep(2 if pool else 0)
                found.append(await pace(way, host, workers=number, boxes=boxes, stay=stay))
        for name, recipe in namespaces().items():
            async with recipe.start() as local:
                found.append(await pace(name, local, workers=number, boxes=boxes, stay=stay))
        found.append(await asyncio.to_thread(sdk_pace, number, boxes, stay))
    return found


def sdk_pace(workers: int, boxes: int, stay: float) -> Pace:
    """The same by the SDK: run, exec_run, remove, on so many threads."""
    from concurrent.futures import ThreadPoolExecutor

    import docker

    client = docker.from_env()
    mute: list[str] = []

    def one(_: int) -> float:
        begun = time.perf_counter()
        made = client.containers.run(REFERENCE, ["sleep", "600"], detach=True, network_mode="none")
        try:
            waited = time.perf_counter() - begun
            if made.exec_run(["bash", "-c", "echo ok"]).output != b"ok\n":
                mute.append(made.id)
            time.sleep(stay)
        finally:
            with suppress(docker.errors.NotFound):
                made.remove(force=True)
        return waited

    begun = time.perf_counter()
    with ThreadPoolExecutor(workers) as threads:
        waits = tuple(threads.map(one, range(boxes)))
    seconds = time.perf_counter() - begun
    client.close()
    return Pace("docker SDK run, exec_run, remove", workers, boxes, seconds, waits, len(mute))
