"""Every sandbox keeps what runs in a box away from this machine: network, environment, files, processes, privileges."""

from __future__ import annotations

import os
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from datafactory.errors import SandboxError
from datafactory.protocols import Box, SandboxHost
from datafactory.types import File
from tests.sandboxes.contract import Recipe, alive

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHECKOUT = Path(__file__).parents[2]
CALL = """
import socket, sys
kind, where = sys.argv[1:3]
made = socket.socket({"4": socket.AF_INET, "6": socket.AF_INET6, "u": socket.AF_UNIX}[kind])
made.settimeout(1)
made.connect((where, int(sys.argv[3])) if kind != "u" else "\\0" + where)
print("connected")
"""


@contextmanager
def listening(address: str | tuple[str, int], family: int) -> Iterator[socket.socket]:
    """A server of this machine's that must never be called."""
    with socket.socket(family) as server:
        server.bind(address)
        server.listen()
        server.settimeout(0.2)
        yield server
        with pytest.raises(TimeoutError):
            server.accept()


def own_address() -> str:
    """What this machine is called by others, as far as it knows."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


async def test_no_connection_leaves_the_box(box: Box) -> None:
    await box.write("/app/call.py", CALL.encode())
    word = f"datafactory-{uuid.uuid4().hex}"
    with listening(("0.0.0.0", 0), socket.AF_INET) as server, listening("\0" + word, socket.AF_UNIX):
        port = str(server.getsockname()[1])
        for where in ("127.0.0.1", "0.0.0.0", own_address(), "172.17.0.1"):
            result = await box.exec(["python3", "call.py", "4", where, port])
            assert result.exit_code == 1 and b"Error" in result.stderr, where
            assert (await box.exec(f"exec 4<>/dev/tcp/{where}/{port}", timeout=5)).exit_code != 0
        for where in (("4", "8.8.8.8", "53"), ("4", "169.254.169.254", "80"), ("6", "::1", port), ("u", word)):
            result = await box.exec(["python3", "call.py", *where])
            assert result.exit_code == 1 and b"Error" in result.stderr, where
    devices = (await box.exec("cat /proc/net/dev")).stdout.decode().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in devices] == ["lo"]
    assert (await box.exec("getent hosts example.com", timeout=10)).exit_code != 0


async def test_the_factorys_environment_stays_outside(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret")
    monkeypatch.setenv("HTTP_PROXY", "http://very_secret@proxy")
    async with recipe.start() as host, host.open("base", {}) as box:
        for command in ("env; export -p; set", ["env"], "cat /proc/[0-9]*/environ", "cat /proc/[0-9]*/cmdline"):
            result = await box.exec(command)
            assert b"secret" not in result.stdout and b"HF_TOKEN" not in result.stdout
        assert b"LANG=C.UTF-8" in (await box.exec(["env"])).stdout


async def test_paths_of_this_machine_lead_nowhere(box: Box, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("host secret")
    homes = {str(path) for path in Path.home().iterdir()} - {f"/root/{name}" for name in (".bashrc", ".profile")}
    for path in (str(CHECKOUT / "pyproject.toml"), str(tmp_path), "/var/run/docker.sock", "/run/docker.sock", *homes):
        result = await box.exec(["test", "-e", path])
        assert result.exit_code == 1, path
        assert await box.read(path) is None
    for door in ("/proc/1/root", "/proc/1/cwd", "/proc/self/root", "/../../.."):
        assert await box.read(f"{door}{tmp_path}/secret") is None


async def test_links_lead_nowhere_either(box: Box, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("host secret")
    climb = "../" * 20 + str(tmp_path).lstrip("/")
    await box.exec(f"ln -s {tmp_path}/secret a; ln -s {climb}/secret b; ln -s /proc/1/root{tmp_path}/secret c")
    await box.exec(f"ln -s {tmp_path} door; ln -s {climb} climb; ln -s / top; ln -s /etc etc")
    for name in ("a", "b", "c", "door/secret", "climb/secret", f"top/{tmp_path}/secret"):
        assert await box.read(f"/app/{name}") is None
    taken, _ = await box.pull(["/app/", "/app/door/", "/app/climb/", "/app/door/secret"])
    assert taken["/app/a"] == File(link=f"{tmp_path}/secret")
    assert all(file.link is not None for file in taken.values())
    for name in ("a", "b", "c", "door/new", "climb/new", f"{'../' * 20}{tmp_path}/up"):
        with suppress(SandboxError):
            await box.write(f"/app/{name}", b"bad")
    passwd = Path("/etc/passwd").read_bytes()
    with suppress(SandboxError):
        await box.push({"/app/etc/passwd": File(data=b"bad")})
    assert Path("/etc/passwd").read_bytes() == passwd
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert (tmp_path / "secret").read_text() == "host secret"
    await alive(box)


async def test_processes_of_this_machine_are_out_of_sight_and_reach(box: Box) -> None:
    word = f"86399.{uuid.uuid4().int % 10**9}"
    with subprocess.Popen(["sleep", word]) as outsider:
        try:
            assert word.encode() not in (await box.exec("cat /proc/[0-9]*/cmdline")).stdout
            await box.exec(f"kill -9 {outsider.pid} {os.getpid()} -1", timeout=5)
            assert outsider.poll() is None
        finally:
            outsider.kill()
    await alive(box)


async def test_what_a_box_changes_is_its_own(host: SandboxHost) -> None:
    name = f"evil-{uuid.uuid4().hex}"
    async with host.open("base", {}) as one, host.open("base", {}) as other:
        spots = [f"{folder}/{name}" for folder in ("/usr/bin", "/etc", "/tmp", "/var/tmp", "/root", "/opt", "/dev/shm")]
        await one.exec("; ".join(f"echo x >{spot}" for spot in spots))
        assert (await one.exec(["test", "-e", f"/tmp/{name}"])).exit_code == 0
        await one.exec("(exec -a private-to-one sleep 300) &")
        for spot in spots:
            assert not Path(spot).exists()
            assert await other.read(spot) is None
        assert b"private-to-one" not in (await other.exec("cat /proc/[0-9]*/cmdline")).stdout
    async with host.open("base", {}) as later:
        assert (await later.exec(f"ls -d {' '.join(spots)}")).stdout == b""


async def test_no_process_of_a_box_has_a_capability_or_can_gain_one(box: Box) -> None:
    for command in ("cat /proc/self/status", ["cat", "/proc/self/status"]):
        text = (await box.exec(command)).stdout.decode()
        ours = {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
        assert {ours[each] for each in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert ours["NoNewPrivs"] == "1"


@pytest.mark.parametrize(
    "line",
    [
        "mount -t tmpfs none /mnt",
        "mount -o remount,rw /",
        "umount -l /proc",
        "unshare --user --map-root-user true",
        "unshare --mount true",
        "nsenter --target 1 --net true",
        "chroot / true",
        "mknod /tmp/disk b 8 0 && dd if=/tmp/disk of=/dev/null count=1",
        "mknod /tmp/mem c 1 1 && dd if=/tmp/mem of=/dev/null count=1",
        "hostname evil",
        "date -s 2001-01-01",
        "echo 1 >/proc/sys/kernel/panic",
        "echo /tmp/x >/proc/sys/kernel/core_pattern",
        "echo b >/proc/sysrq-trigger",
        "echo -1000 >/proc/self/oom_score_adj",
        "nice -n -5 true 2>&1 | grep . && false",
        "echo 99999 >/sys/fs/cgroup/pids/pids.max",
        "mkdir /sys/fs/cgroup/memory/out && echo $$ >/sys/fs/cgroup/memory/out/cgroup.procs",
        "python3 -c 'import socket as s; s.socket(s.AF_INET, s.SOCK_RAW, 1)'",
        "python3 -c 'import socket as s; s.socket(s.AF_PACKET, s.SOCK_RAW)'",
        "python3 -c 'import os; os.setuid(12345)'",
        "python3 -c 'import os; os.chown(\"/etc/hostname\", 12345, 12345)'",
        "python3 -c 'import ctypes as c, sys; sys.exit(c.CDLL(None).reboot(0x1234567) != 0)'",
        "python3 -c 'import ctypes as c, sys; sys.exit(c.CDLL(None).swapoff(b\"/x\") != 0)'",
        "ip link add x type dummy",
        "cat /proc/kcore | head -c 64 | grep -q .",
        "dd if=/dev/sda of=/dev/null count=1 || dd if=/dev/vda of=/dev/null count=1",
    ],
)
async def test_the_machine_cannot_be_changed(box: Box, line: str) -> None:
    result = await box.exec(f"set -o pipefail; {line}", timeout=10)
    assert result.exit_code not in (0, 124), result.output
