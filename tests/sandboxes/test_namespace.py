"""Boxes of namespaces: what they show, what they hide, and what they let be done."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from datafactory.errors import ConfigError, SandboxError
from datafactory.protocols import Box, SandboxHost
from datafactory.types import File, files
from sandboxes.namespace import NamespaceSandbox, available
from sandboxes.namespace.probe import look

pytestmark = pytest.mark.namespace

KINDS = {
    "unshare": NamespaceSandbox(engine="unshare"),
    "bubblewrap": NamespaceSandbox(engine="bubblewrap"),
    "ordinary user": NamespaceSandbox(engine="unshare", limiting="watch"),
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
    """A box with one file in it."""
    async with host.open("base", files({"/app/given.txt": "given\n"})) as opened:
        yield opened


async def said(box: Box, line: str) -> str:
    """What a line prints, which must not fail."""
    result = await box.exec(line)
    assert result.exit_code == 0, result.output
    return result.stdout.decode()


def test_it_says_what_works_here() -> None:
    there, seen = available()
    assert there and "unshare 2." in seen


async def test_a_box_starts_in_its_workdir_with_its_files_as_root(box: Box) -> None:
    assert await said(box, "pwd; id -u; cat given.txt; hostname; echo $HOME; ls -A $HOME") == (
        "/app\n0\ngiven\nbox\n/root\n"
    )


async def test_a_workdir_may_be_anywhere(host: SandboxHost) -> None:
    async with host.open("base", {}, workdir="/place/deep er") as box:
        assert (await box.exec("pwd")).stdout == (await box.exec(["pwd"])).stdout == b"/place/deep er\n"


async def test_a_box_writes_where_tasks_write_and_the_machine_does_not_see_it(host: SandboxHost, box: Box) -> None:
    for folder in ("/app", "/tmp", "/var/tmp", "/root", "/home", "/opt", "/srv", "/mnt", "/run", "/dev/shm"):
        await said(box, f"mkdir -p {folder}/datafactory-test/deep && echo x >{folder}/datafactory-test/deep/x")
        assert not Path(folder, "datafactory-test").exists()
    async with host.open("base", {}) as other:
        assert await said(other, "ls -A /app /opt /srv /home") == "/app:\n\n/home:\n\n/opt:\n\n/srv:\n"


async def test_the_machines_secrets_are_out_of_sight(box: Box, tmp_path: Path) -> None:
    assert await said(box, "ls -A /root /home /mnt /media /srv /run /sys /var/log") == (
        "/home:\n\n/media:\n\n/mnt:\n\n/root:\n\n/run:\n\n/srv:\n\n/sys:\n\n/var/log:\n"
    )
    assert (await box.exec("head -c1 /etc/shadow /etc/gshadow")).stdout.replace(b"\n", b"") in (
        b"",
        b"==> /etc/shadow <====> /etc/gshadow <==",
    )
    assert (await box.exec(["ls", str(tmp_path), str(Path.cwd()), "/var/lib/docker"])).stdout == b""
    shown = set((await said(box, "cat /proc/1/environ /proc/self/environ")).split("\0"))
    names = {line.partition("=")[0] for line in shown if line}
    allowed = {"PATH", "HOME", "LANG", "TERM", "TZ", "USER", "PWD", "OLDPWD", "SHLVL", "_", "container"}
    assert names <= allowed
    assert (await said(box, "tr '\\0' ' ' </proc/1/cmdline")).startswith("bash --noprofile --norc")


async def test_a_box_sees_its_own_processes_only(box: Box) -> None:
    seen = (await said(box, "cat /proc/[0-9]*/comm")).split()
    assert set(seen) <= {"bash", "cat"} and len(seen) < 6
    assert (await box.exec(["kill", "-0", str(os.getpid())])).exit_code == 1


async def test_python_and_the_devices_work(box: Box) -> None:
    assert (await said(box, "python3 -c 'import sys, ssl, sqlite3; print(sys.version_info >= (3, 8))'")) == "True\n"
    assert (await said(box, "head -c 3 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c; echo >/dev/null")) == "3\n3\n"
    assert (await box.exec("echo x >/dev/full")).exit_code == 1
    assert (await said(box, "script -qfc tty /dev/null")).strip() == "/dev/pts/0"


async def test_there_is_no_network_but_the_boxs_own(box: Box) -> None:
    program = (
        "import socket\n"
        "s = socket.create_server(('127.0.0.1', 8000)); socket.create_connection(('localhost', 8000))\n"
        "try: socket.create_connection(('1.1.1.1', 53), 3)\n"
        "except OSError as e: print(e.errno)\n"
    )
    await box.write("/app/net.py", program.encode())
    assert await said(box, "python3 net.py") == "101\n"
    assert (await said(box, "cat /proc/net/dev | tail -n +3 | cut -d: -f1")).split() == ["lo"]


async def test_a_box_has_no_privilege_and_gets_none(box: Box) -> None:
    status = await said(box, "grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs' /proc/self/status")
    assert status.split()[1::2] == ["0" * 16] * 3 + ["1"]
    for line in (
        "mount -t tmpfs x /mnt",
        "unshare -U true",
        "unshare -m true",
        "umount /proc",
        "mount -o remount,rw /proc",
        "chroot / true",
        "nsenter -t 1 -m true",
        "mknod /tmp/disk b 8 0",
        "chmod 666 /dev/null",
        "echo box >/proc/sys/kernel/core_pattern",
        "echo b >/proc/sysrq-trigger",
    ):
        assert (await box.exec(line)).exit_code != 0, line


async def test_links_lead_nowhere_outside(box: Box, tmp_path: Path) -> None:
    await said(box, f"mkdir -p {tmp_path}; ln -s / /app/up; ln -s /etc/hostname /app/name; ln -s {tmp_path} /app/there")
    assert await box.read("/app/name") != (tmp_path / "x").name.encode()
    await box.write(f"/app/up{tmp_path}/x", b"inside")
    await box.push({f"/app/there/{n}": File(data=b"inside") for n in range(3)})
    assert await box.read(f"{tmp_path}/x") == b"inside"
    assert list(tmp_path.iterdir()) == []
    pulled, note = await box.pull(["/app/"])
    assert pulled["/app/up"].link == "/" and note == ""


async def test_what_is_no_regular_file_is_not_read(box: Box) -> None:
    await said(box, "mkfifo fifo; ln -s fifo to-fifo; ln -s given.txt to-file; ln -s loop loop")
    for path in ("/app", "/app/fifo", "/app/to-fifo", "/app/loop", "/app/absent", "/dev/zero", "/app/given.txt/x"):
        assert await box.read(path) is None
    assert await box.read("/app/to-file") == b"given\n"


async def test_files_travel_whole(box: Box) -> None:
    given = {
        "/app/ein Ordner/naïve\nname": File(data=bytes(range(256)) * 5000),
        "/app/-rf": File(data=b"x", mode=0o755),
        "/app/sub/empty": File(mode=0o600),
        "/app/sub/link": File(link="../-rf"),
        "/elsewhere/x": File(data=b""),
    }
    await box.push(given)
    pulled, note = await box.pull(["/app/", "/elsewhere/x", "/absent", "/absent/"])
    assert pulled == given | {"/app/given.txt": File(data=b"given\n")}
    assert note == ""


async def test_too_much_to_pull_is_left_out_with_a_note(box: Box) -> None:
    await said(box, "truncate -s 100G sparse; mkfifo fifo")
    pulled, note = await box.pull(["/app/"], limit=1 << 20)
    assert set(pulled) == {"/app/given.txt"} and "/app/sparse" in note and "/app/fifo" in note


async def test_an_image_with_a_root_of_its_own(tmp_path: Path) -> None:
    if not look().overlay:
        pytest.skip("the kernel does not overlay in user namespaces")
    for name in ("usr", "etc"):
        (tmp_path / name).mkdir()
    with pytest.raises(ConfigError):
        async with NamespaceSandbox(roots={"bare": str(tmp_path / "etc")}).start():
            pass
    async with NamespaceSandbox(engine="unshare", roots={"bare": str(tmp_path)}).start() as host:
        assert host.image_digest("bare") != host.image_digest("base")
        with pytest.raises(SandboxError):
            async with host.open("bare", {}):
                pass
