"""Every sandbox opens many boxes at once, stands commands that are cancelled, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from datafactory.errors import SandboxError
from datafactory.protocols import Box, SandboxHost
from datafactory.types import files
from tests.sandboxes.contract import Recipe, alive, becomes, inside, outside

pytestmark = pytest.mark.asyncio(loop_scope="module")

FACTORY = """
import asyncio, contextlib, json, sys
from sandboxes.docker import DockerSandbox
from sandboxes.namespace import NamespaceSandbox
async def main(kind, fields, word):
    recipe = {"docker": DockerSandbox, "namespace": NamespaceSandbox}[kind](**json.loads(fields))
    async with recipe.start() as host, contextlib.AsyncExitStack() as stack:
        boxes = [await stack.enter_async_context(host.open("base", {})) for _ in range(3)]
        for box in boxes:
            await box.exec(f"(exec -a {word} sleep 600) & echo")
        print("up", flush=True)
        await boxes[0].exec(f"exec -a {word} sleep 600", timeout=600)
asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def factory(recipe: Recipe, word: str) -> Iterator[subprocess.Popen[str]]:
    """Another factory with three boxes open, whose processes are called `word`."""
    fields = json.dumps(recipe.model_dump(mode="json", exclude={"name"}, exclude_unset=True))
    line = [sys.executable, "-c", FACTORY, recipe.use_name, fields, word]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "up\n"
            yield process
        finally:
            process.kill()


def remains() -> tuple[list[str], list[str]]:
    """Mounts and control groups of boxes, as this machine sees them."""
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if line.startswith("datafactory ")]
    # os.walk passes over a group that goes away while it looks, as those of other boxes do
    groups = [f"{at}/{name}" for at, names, _ in os.walk("/sys/fs/cgroup") for name in names]
    return mounts, [group for group in groups if "/datafactory-box-" in group]


async def test_boxes_of_a_killed_factory_are_gone_once_the_next_one_started(recipe: Recipe) -> None:
    client = docker.from_env() if recipe.use_name == "docker" else None
    foreign = client.containers.create("datafactory/base", ["true"]) if client else None
    word, survivor = f"box-{uuid.uuid4().hex}", f"box-{uuid.uuid4().hex}"
    try:
        with factory(recipe, survivor), factory(recipe, word) as doomed:
            assert await becomes(lambda: len(outside(word)) >= 4)
            doomed.send_signal(signal.SIGKILL)
            doomed.wait()
            async with recipe.start():
                assert await becomes(lambda: not outside(word), within=10)
                mounts, groups = remains()
                assert mounts == []
                assert not [group for group in groups if f"box-{doomed.pid}-" in group]
                assert len(outside(survivor)) >= 4, "those of a living factory stay"
                if foreign:
                    foreign.reload()
    finally:
        if client and foreign:
            foreign.remove()
            client.close()


async def test_a_factory_that_is_interrupted_takes_its_boxes_with_it(recipe: Recipe) -> None:
    word = f"box-{uuid.uuid4().hex}"
    with factory(recipe, word) as process:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        assert await becomes(lambda: not outside(word), within=10)
        assert not [group for group in remains()[1] if f"box-{process.pid}-" in group]


async def test_eight_boxes_at_once_each_with_its_own_files(host: SandboxHost) -> None:
    async def one(number: int) -> bytes:
        async with host.open("base", files({"/app/n": str(number)})) as box:
            said = b""
            for _ in range(5):
                said = (await box.exec("cat n; echo $((x++))")).stdout
            return said

    assert await asyncio.gather(*(one(number) for number in range(8))) == [b"%d4\n" % n for n in range(8)]


async def test_commands_at_once_on_one_box_do_not_mix(box: Box) -> None:
    async def line(number: int) -> bool:
        return (await box.exec(f"echo {number}; sleep 0.02; echo {number}")).stdout == b"%d\n%d\n" % (number, number)

    async def program(number: int) -> bool:
        return (await box.exec(["sh", "-c", f"seq {number}; exit {number}"])).exit_code == number

    async def file(number: int) -> bool:
        await box.write(f"/app/{number}", b"%d" % number)
        return await box.read(f"/app/{number}") == b"%d" % number

    work = [does(number) for number in range(20) for does in (line, program, file)]
    random.Random(7).shuffle(work)
    assert all(await asyncio.gather(*work))


async def test_a_cancelled_command_is_ended_and_nothing_of_it_is_seen_later(box: Box) -> None:
    for command in ("echo begun; sleep 7101; echo late", ["sh", "-c", "echo begun; sleep 7101; echo late"]):
        task = asyncio.create_task(box.exec(command, timeout=60))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await alive(box)
        assert b"sleep 7101" not in await inside(box)


async def test_cancelling_at_any_moment_leaves_every_later_answer_right(box: Box) -> None:
    pick = random.Random(7)
    doings = (
        lambda: box.exec("echo wrong; echo wrong >&2; (exit 9)"),
        lambda: box.exec(["sh", "-c", "echo wrong; exit 9"]),
        lambda: box.write("/app/half", bytes(300_000)),
        lambda: box.read("/app/half"),
        lambda: box.pull(["/app/"]),
        lambda: box.exec("seq 200000"),
    )
    for number in range(40):
        task = asyncio.ensure_future(pick.choice(doings)())
        await asyncio.sleep(pick.choice((0, 0.0005, 0.002, 0.005, 0.02)))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        result = await box.exec(f"echo {number}")
        assert (result.exit_code, result.stdout, result.stderr) == (0, b"%d\n" % number, b"")
    await alive(box)


async def test_a_box_that_is_closed_says_so_at_once(host: SandboxHost) -> None:
    async with host.open("base", {}) as box:
        await alive(box)
    for late in (box.exec("true"), box.exec(["true"]), box.read("/etc/passwd"), box.write("/app/x", b"")):
        with pytest.raises(SandboxError):
            async with asyncio.timeout(10):
                await late


async def test_a_box_closes_at_once_whatever_runs_in_it(host: SandboxHost) -> None:
    word = f"box-{uuid.uuid4().hex}"
    async with asyncio.timeout(20):
        async with host.open("base", {}) as box:
            await box.exec(f"trap '' TERM INT HUP; (trap '' TERM INT HUP; exec -a {word} sleep 300) & echo", timeout=5)
            running = asyncio.create_task(box.exec(f"exec -a {word} sleep 300", timeout=300))
            await asyncio.sleep(0.3)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert await becomes(lambda: not outside(word))


async def test_a_digest_stands_for_an_image_and_stays(host: SandboxHost) -> None:
    assert host.image_digest("base") == host.image_digest("base") != ""
