"""How Docker boxes come and go: warm pools, crowds, dead factories, engines that do not answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading

import docker
import pytest

from datafactory.errors import Missing, SandboxError
from datafactory.types import files
from sandboxes import docker_owner
from sandboxes.docker import DockerSandbox, available
from sandboxes.docker_link import StreamLink, plain_socket

FACTORY = """
import asyncio
from sandboxes.docker import DockerSandbox
async def main():
    async with DockerSandbox(pool=2).start() as host:
        async with host.open("base", {}) as box:
            print(host._run, flush=True)
            await asyncio.sleep(600)
asyncio.run(main())
"""


def boxes(*labels: str) -> list[str]:
    client = docker.from_env()
    try:
        return [each.id for each in client.containers.list(all=True, filters={"label": list(labels)})]
    finally:
        client.close()


def of(run: str) -> list[str]:
    return boxes(f"{docker_owner.RUN}={run}")


@pytest.mark.docker
async def test_boxes_of_a_killed_factory_are_gone_after_the_next_start_and_those_of_a_living_one_stay() -> None:
    dead, living = (
        subprocess.Popen([sys.executable, "-c", FACTORY], stdout=subprocess.PIPE, text=True) for _ in range(2)
    )
    try:
        assert dead.stdout and living.stdout
        killed, kept = dead.stdout.readline().strip(), living.stdout.readline().strip()
        assert of(killed) and of(kept)
        os.kill(dead.pid, signal.SIGKILL)
        # Not waited for: a zombie is dead, too.
        async with DockerSandbox().start():
            assert of(killed) == []
            assert of(kept) != []
        living.send_signal(signal.SIGINT)
        living.wait(timeout=30)
        assert of(kept) == [], "a factory that is interrupted takes its boxes with it"
    finally:
        for each in (dead, living):
            each.kill()
            each.wait()
            assert each.stdout
            each.stdout.close()


@pytest.mark.docker
async def test_nothing_is_left_after_a_run_even_if_it_breaks_off_while_boxes_open() -> None:
    async with DockerSandbox(pool=3).start() as host:
        run = host._run

        async def use() -> None:
            async with host.open("base", {}) as box:
                await box.exec("sleep 60", timeout=60)

        tasks = [asyncio.create_task(use()) for _ in range(6)]
        await asyncio.sleep(0.7)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert of(run) == []


@pytest.mark.docker
async def test_every_box_is_fresh_though_they_come_from_a_pool() -> None:
    async with DockerSandbox(pool=2).start() as host:
        seen = set()
        for _ in range(5):
            async with host.open("base", {}) as box:
                seen.add(box.container)
                assert await box.read("/app/left-behind") is None
                assert (await box.exec("echo $left")).stdout == b"\n"
                await box.exec("left=behind; touch /app/left-behind")
        assert len(seen) == 5


@pytest.mark.docker
async def test_a_crowd_of_boxes_all_open_with_their_own_files() -> None:
    async with DockerSandbox(memory="128m", pool=2).start() as host:

        async def one(number: int) -> bytes:
            async with host.open("base", files({"/app/n": str(number)})) as box:
                return (await box.exec("cat n")).stdout

        assert await asyncio.gather(*(one(number) for number in range(24))) == [b"%d" % n for n in range(24)]


@pytest.mark.docker
async def test_more_workdirs_than_pools_do_not_keep_boxes_of_the_first_ones_ready() -> None:
    async with DockerSandbox(memory="128m", pool=1).start() as host:

        async def one(number: int) -> bytes:
            async with host.open("base", {}, workdir=f"/work/{number}") as box:
                return (await box.exec("pwd")).stdout

        assert await asyncio.gather(*(one(number) for number in range(15))) == [b"/work/%d\n" % n for n in range(15)]
        await one(15)
        assert len(host._pools) == 12


@pytest.mark.docker
async def test_a_box_that_cannot_open_in_time_is_a_fault_of_ours() -> None:
    async with DockerSandbox(open_timeout=0.01, pool=0).start() as host:
        with pytest.raises(SandboxError, match=r"no box of 'base' opened within 0.01 s"):
            async with host.open("base", {}):
                pass


@pytest.mark.docker
async def test_an_engine_behind_tcp_serves_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        relay = threading.Thread(target=carry_to_engine, args=(server,), daemon=True)
        relay.start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.getsockname()[1]}")
        async with DockerSandbox(pool=0).start() as host, host.open("base", files({"/app/x": "far"})) as box:
            assert (await box.exec("cat x")).stdout == b"far"


def carry_to_engine(server: socket.socket) -> None:
    while True:
        try:
            near, _ = server.accept()
        except OSError:
            return
        far = socket.socket(socket.AF_UNIX)
        far.connect("/var/run/docker.sock")
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=carry, args=(source, target), daemon=True).start()


def carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side has left
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


async def test_no_engine_is_missing_and_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    there, why = available()
    assert not there
    assert "unix:///nowhere/docker.sock" in why and "apt-get install docker.io" in why
    with pytest.raises(Missing, match="no Docker engine answers"):
        async with DockerSandbox().start():
            pass


class Tunnel:
    """A stream that is no plain socket, as TLS and SSH give."""

    def __init__(self, end: socket.socket) -> None:
        self.recv, self.sendall, self.close = end.recv, end.sendall, end.close


async def test_frames_are_parted_however_the_bytes_arrive_also_through_a_tunnel() -> None:
    near, far = socket.socketpair()
    link = await StreamLink.over(plain_socket(Tunnel(near)))
    frames = b"\1\0\0\0\0\0\0\5hello\2\0\0\0\0\0\0\0\2\0\0\0\0\0\0\3err"
    sender = threading.Thread(target=lambda: [far.sendall(frames[i : i + 1]) for i in range(len(frames))])
    sender.start()
    said = {1: b"", 2: b""}
    while said != {1: b"hello", 2: b"err"}:
        stream, data = await link.receive()
        said[stream] += data
    sender.join()
    await link.send(b"to the box")
    assert await asyncio.to_thread(far.recv, 100) == b"to the box"
    far.close()
    with pytest.raises(EOFError):
        await link.receive()
    await link.close()


def test_only_what_a_dead_process_of_this_very_place_owns_is_an_orphan() -> None:
    ours = docker_owner.labels("run")
    assert not docker_owner.is_orphan(ours)
    assert docker_owner.is_orphan({**ours, docker_owner.OWNER: f"{os.getpid()}-1"}), "the number was given anew"
    assert docker_owner.is_orphan({**ours, docker_owner.BOOT: "an earlier one"})
    assert not docker_owner.is_orphan({**ours, docker_owner.HOST: "another/4026531836", docker_owner.OWNER: "1-1"})
    assert not docker_owner.is_orphan({})


@pytest.mark.parametrize("size", ["", "0", "g", "two", "-1g", "2 gigs"])
def test_what_is_no_size_is_refused_with_an_example(size: str) -> None:
    with pytest.raises(ValueError, match="write one like 512m or 2g"):
        DockerSandbox(disk=size)
