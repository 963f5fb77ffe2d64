"""Every sandbox moves files alike: bytes, modes, links and odd names, and nothing but files."""

from __future__ import annotations

import os
import time

import pytest

from datafactory.errors import SandboxError
from datafactory.protocols import Box, SandboxHost
from datafactory.types import File, files
from tests.sandboxes.contract import alive

pytestmark = pytest.mark.asyncio(loop_scope="module")

ODD = ("a b", " lead", "trail ", "new\nline", "tab\t", "it's", 'q"q', "back\\slash", "-dash", "*", "$HOME", "`x`", "#")
ODD += ("日本", "é", "🐎", "~", "!", "%s", "\x01", "\x7f", "..x", "{}", "n" * 200)
NO_FILES = ("/app/none", "/none/at/all", "/app", "/app/", "/", "/app/pipe", "/app/dangling", "/app/loop", "/app/sock")
NO_FILES += ("/dev/zero", "/dev/full", "/dev/tty", "/dev/fd/0", "/app/file/below", "/app/a\0b", "", "/" + "n" * 5000)


async def test_what_is_written_is_read(box: Box) -> None:
    for data in (b"", b"\0", b"text", bytes(range(256)) * 100, os.urandom(5_000_000)):
        await box.write("/app/deep/er/file", data)
        assert await box.read("/app/deep/er/file") == data
    assert (await box.exec("stat -c '%a %s' deep/er/file; stat -c %a deep")).stdout == b"644 5000000\n755\n"


async def test_modes_are_kept_both_ways_and_written_files_run(box: Box) -> None:
    await box.write("/app/run", b"#!/bin/sh\necho ran\n", mode=0o755)
    assert (await box.exec(["./run"])).stdout == b"ran\n"
    await box.push({f"/app/m{mode:o}": File(data=b"m", mode=mode) for mode in (0o600, 0o644, 0o755, 0o777, 0o400)})
    taken, note = await box.pull(["/app/"])
    assert {path: file.mode for path, file in taken.items() if "/m" in path} == {
        f"/app/m{mode:o}": mode for mode in (0o600, 0o644, 0o755, 0o777, 0o400)
    }
    assert (taken["/app/run"].mode, note) == (0o755, "")


async def test_a_file_replaces_a_file_and_a_link(box: Box) -> None:
    await box.exec("echo old >target; ln -s target link; echo long text >file; chmod 755 file; ln file hard")
    await box.write("/app/file", b"new")
    await box.write("/app/link", b"through")
    assert (await box.exec("cat file link; stat -c %a file")).stdout == b"newthrough644\n"
    await box.push({"/app/file": File(link="target")})
    taken, _ = await box.pull(["/app/file"])
    assert taken == {"/app/file": File(link="target")}


async def test_what_is_no_regular_file_reads_as_none_at_once(box: Box) -> None:
    bind = "import socket as s; s.socket(s.AF_UNIX).bind('/app/sock')"
    await box.exec(
        f'mkfifo pipe; ln -s nowhere dangling; ln -s loop loop; echo x >file; echo x >a; python3 -c "{bind}"'
    )
    for path in NO_FILES:
        begun = time.monotonic()
        assert await box.read(path) is None, path
        assert time.monotonic() - begun < 10
    await alive(box)


async def test_odd_names_travel(box: Box) -> None:
    there = {f"/app/{name}/{name}": File(data=name.encode()) for name in ODD}
    await box.push(there)
    taken, note = await box.pull(["/app/"])
    assert (taken, note) == (there, "")
    assert (await box.pull(list(there)))[0] == there
    for path, file in there.items():
        assert await box.read(path) == file.data
    assert (await box.exec("find . -type f | wc -l")).stdout != b"0\n"


async def test_a_name_that_is_not_utf8_is_told_of_and_left_out(box: Box) -> None:
    await box.exec("echo x >$'caf\\xe9'; echo y >plain")
    taken, note = await box.pull(["/app/"])
    assert taken == files({"/app/plain": "y\n"})
    assert "caf" in note
    assert await box.read(b"/app/caf\xe9".decode(errors="surrogateescape")) == b"x\n"


async def test_pull_brings_files_and_links_and_says_what_it_left(box: Box) -> None:
    await box.exec("mkdir -p d/e; echo 1 >d/1; echo 2 >d/e/2; ln -s ../1 d/e/up; ln -s /nowhere d/far; mkfifo d/pipe")
    inside = {**files({"/app/d/1": "1\n", "/app/d/e/2": "2\n"}), "/app/d/e/up": File(link="../1")}
    inside["/app/d/far"] = File(link="/nowhere")
    taken, note = await box.pull(["/app/d/"])
    assert taken == inside and "/app/d/pipe" in note
    assert await box.pull(["/app/d/1", "/app/missing", "/app/missing/"]) == (files({"/app/d/1": "1\n"}), "")
    taken, note = await box.pull(["/app/d"])
    assert taken == {} and "/app/d" in note
    assert await box.pull([]) == ({}, "")
    taken, note = await box.pull(["/app/d/pipe", "/dev/zero"])
    assert taken == {} and "/app/d/pipe" in note and "/dev/zero" in note


async def test_pull_stops_at_its_limit_with_a_note(box: Box) -> None:
    await box.exec("head -c 3000 /dev/zero >big; head -c 900 /dev/zero >small; truncate -s 50M holes")
    taken, note = await box.pull(["/app/"], limit=1000)
    assert list(taken) == ["/app/small"] and "/app/big" in note and "/app/holes" in note
    taken, note = await box.pull(["/app/big", "/app/small"], limit=3500)
    assert len(taken) == 1 and note
    await alive(box)


async def test_more_files_than_a_pull_brings_break_no_box(box: Box) -> None:
    make = "import os\nfor n in range(25_000): open(f'/app/d/{n}' + 'x' * 90, 'w').close()"
    await box.exec(["python3", "-c", f"import os; os.mkdir('/app/d'); {make}".replace("; import os\n", "\n")])
    taken, note = await box.pull(["/app/"])
    made = int((await box.exec("ls d | wc -l")).stdout)
    assert made > 15_000 and len(taken) == min(made, 20_000)
    assert ("more than 20,000 files" in note) == (made > 20_000)
    await box.exec("rm -rf d")  # a box may hold no more files than that
    await alive(box)


async def test_files_that_change_meanwhile_do_not_stall_a_pull(box: Box) -> None:
    grow = "while :; do echo more >>grow; echo x >f$((n++ % 50)); rm -f f$((n * 7 % 50)); done"
    await box.exec(f"echo still >still; ({grow}) >/dev/null 2>&1 &")
    for _ in range(5):
        taken, _ = await box.pull(["/app/"])
        assert taken["/app/still"].data == b"still\n"
        assert set(taken["/app/grow"].data.split()) <= {b"more"} if "/app/grow" in taken else True
    await alive(box)


async def test_ten_thousand_files_travel_both_ways(host: SandboxHost) -> None:
    many = files({f"/app/d{number % 97}/f{number}": f"{number}\n" for number in range(10_000)})
    async with host.open("base", many) as box:
        assert (await box.exec("find . -type f | wc -l")).stdout == b"10000\n"
        taken, note = await box.pull(["/app/"])
        assert taken == many and note == ""
        await box.push({path: File(data=b"again") for path in many})
        taken, _ = await box.pull(sorted(many))
        assert len(taken) == 10_000 and {file.data for file in taken.values()} == {b"again"}


async def test_files_that_cannot_be_placed_are_an_error_and_the_box_goes_on(box: Box) -> None:
    await box.exec("echo x >file; mkdir folder; echo x >folder/x")
    for path in ("/proc/nope/file", "/app/folder", "/app/a\0b"):
        with pytest.raises(SandboxError):
            await box.write(path, b"data")
        await alive(box)
    assert (await box.exec("cat folder/x")).stdout == b"x\n"


async def test_files_move_whatever_the_lines_did_to_their_shell(box: Box) -> None:
    await box.exec("PATH=; cd /; tar() { :; }; alias head=false; ulimit -f 0; umask 777; set -e; exec 1>&-")
    await box.write("/app/w", b"written")
    assert await box.read("/app/w") == b"written"
    taken, _ = await box.pull(["/app/"])
    assert taken == files({"/app/w": "written"})
