"""What a Docker box promises beyond the contract of all sandboxes: isolation, limits, and whose files are whose."""

from __future__ import annotations

import json
import time

import docker
import pytest

from datafactory.errors import Missing, SandboxError
from datafactory.types import File, files
from sandboxes.docker import DockerSandbox
from sandboxes.docker_host import DockerHost

pytestmark = pytest.mark.docker

SMALL = DockerSandbox(memory="256m", disk="64m", pids=64, pool=0)


def inspected(container: str) -> dict:
    client = docker.from_env()
    try:
        return client.api.inspect_container(container)
    finally:
        client.close()


async def test_root_in_a_box_has_no_capability_and_cannot_gain_a_privilege() -> None:
    async with SMALL.start() as host, host.open("base", {}) as box:
        status = (await box.exec("cat /proc/self/status")).output
        ours = {key: value.strip() for key, _, value in (line.partition(":") for line in status.splitlines())}
        assert ours["Uid"].split() == ["0"] * 4
        assert {ours[each] for each in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert ours["NoNewPrivs"] == "1"
        assert ours["Seccomp"] == "2"
        assert (await box.exec("mount -t tmpfs none /mnt")).exit_code != 0
        assert (await box.exec("echo 1 > /proc/sys/kernel/panic")).exit_code != 0


async def test_a_box_has_no_network_and_nothing_of_this_machine() -> None:
    async with SMALL.start() as host, host.open("base", {}) as box:
        assert (await box.exec("ls /sys/class/net")).output.split() == ["lo"]
        facts = inspected(box.container)
        assert facts["Mounts"] == []
        assert facts["HostConfig"]["NetworkMode"] == "none"
        assert facts["HostConfig"]["IpcMode"] == "private"


async def test_the_environment_holds_nothing_of_the_factory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret")
    async with SMALL.start() as host, host.open("base", {}) as box:
        said = await box.exec(["python3", "-c", "import json, os; print(json.dumps(dict(os.environ)))"])
        found = json.loads(said.stdout)
        for shell_made in ("PWD", "OLDPWD", "SHLVL", "_"):
            found.pop(shell_made, None)
        assert found == {
            "HOME": "/root",
            "HOSTNAME": "box",
            "LANG": "C.UTF-8",
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "TERM": "xterm-256color",
            "TZ": "UTC",
        }


async def test_memory_past_the_limit_kills_the_command_and_not_the_box() -> None:
    async with SMALL.start() as host, host.open("base", {}) as box:
        eats = await box.exec(["python3", "-c", "x = b'x' * (1 << 30)"])
        assert eats.exit_code == 137
        assert not eats.timed_out
        assert (await box.exec("echo on")).stdout == b"on\n"


async def test_one_file_stops_at_the_disk_limit() -> None:
    async with SMALL.start() as host, host.open("base", {}) as box:
        await box.exec("head -c 200M /dev/zero > /app/big")
        size = await box.exec(["stat", "-c", "%s", "/app/big"])
        assert int(size.stdout) == 64 << 20


async def test_many_files_past_the_disk_limit_end_the_command_that_writes_them() -> None:
    async with SMALL.start() as host, host.open("base", {}) as box:
        begun = time.monotonic()
        filling = "for i in $(seq 200); do head -c 10M /dev/zero > /app/part$i; sleep 0.2; done"
        result = await box.exec(filling, timeout=60)
        assert result.exit_code == 137
        assert b"67108864 bytes of disk" in result.stderr
        assert time.monotonic() - begun < 15
        assert (await box.exec("rm /app/part* && echo room again")).stdout == b"room again\n"


async def test_files_move_even_while_processes_fill_the_box() -> None:
    async with SMALL.start() as host, host.open("base", files({"/app/a": "kept\n"})) as box:
        await box.exec("bomb() { bomb | bomb & }; bomb", timeout=2)
        assert await box.read("/app/a") == b"kept\n"
        await box.write("/app/b", b"new\n")
        taken, note = await box.pull(["/app/"])
        assert {path: file.data for path, file in taken.items()} == {"/app/a": b"kept\n", "/app/b": b"new\n"}
        assert note == ""


async def test_process_one_cannot_be_killed_from_inside_and_reaps_what_dies() -> None:
    async with SMALL.start() as host, host.open("base", {}) as box:
        await box.exec("(setsid sleep 0.1 &) ; (setsid sleep 0.1 &)")
        await box.exec("kill -9 1; kill -TERM 1; kill -INT 1; kill -9 -1")
        await box.exec("true")  # This one finds the shell killed.
        said = await box.exec("sleep 0.3; ps -eo stat= | grep -c Z")
        assert said.stdout == b"0\n"


async def test_a_user_who_is_not_root_owns_the_workdir_and_all_that_is_placed() -> None:
    sandbox = DockerSandbox(user="agent", pool=0)
    first = files({"/app/deep/er/a.txt": "a", "/tests/run.sh": "#!/bin/sh\necho ran"})
    async with sandbox.start() as host, host.open("base", first) as box:
        await box.push({"/app/private": File(data=b"p", mode=0o600)})
        said = await box.exec("id -un; pwd; echo $HOME; stat -c '%U %n' /app /app/deep/er /app/private; /tests/run.sh")
        assert said.stdout.decode().splitlines() == [
            "agent",
            "/app",
            "/home/agent",
            "agent /app",
            "agent /app/deep/er",
            "agent /app/private",
            "ran",
        ]
        assert (await box.exec("echo x >> /etc/passwd")).exit_code != 0
        assert (await box.exec("grep CapEff /proc/self/status")).stdout.split()[-1] == b"0" * 16
        assert await box.read("/app/private") == b"p"


async def test_a_user_whom_the_image_does_not_know_is_an_error_of_ours() -> None:
    async with DockerSandbox(user="nobody-of-that-name", pool=0).start() as host:
        with pytest.raises(SandboxError, match="no user 'nobody-of-that-name'"):
            async with host.open("base", {}):
                pass


async def test_a_foreign_image_that_is_missing_is_named_with_how_to_get_it() -> None:
    async with SMALL.start() as host:
        with pytest.raises(Missing, match="docker pull no-such/thing:1"):
            host.image_digest("no-such/thing:1")
        with pytest.raises(Missing, match="docker pull no-such/thing:1"):
            async with host.open("no-such/thing:1", {}):
                pass


async def test_an_image_of_ours_that_is_missing_is_named_with_what_builds_it() -> None:
    async with DockerSandbox(images={"base": "elsewhere/base:9"}, build=False).start() as host:
        with pytest.raises(Missing, match="datafactory images build base"):
            host.image_digest("base")


async def test_a_logical_name_can_stand_for_any_image() -> None:
    async with SMALL.start() as ours:
        digest = ours.image_digest("base")
    async with DockerSandbox(images={"my-tools": digest}, pool=0).start() as host:
        assert host.image_digest("my-tools") == digest
        async with host.open("my-tools", {}, workdir="/srv/work dir") as box:
            assert (await box.exec("pwd")).stdout == b"/srv/work dir\n"


async def test_no_box_opens_where_the_disk_is_nearly_full() -> None:
    async with DockerSandbox(min_free="1000t").start() as host:
        with pytest.raises(SandboxError, match=r"must have .* to spare.*min_free: 1000t"):
            async with host.open("base", {}):
                pass


async def test_a_box_whose_container_was_removed_breaks_as_a_fault_of_ours() -> None:
    host: DockerHost
    async with SMALL.start() as host, host.open("base", {}) as box:
        await host.engine.remove(box.container)
        with pytest.raises(SandboxError):
            await box.exec("true")
        with pytest.raises(SandboxError):
            await box.read("/etc/passwd")
