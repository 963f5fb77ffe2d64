"""Every sandbox brings output byte for byte, up to a limit, and is fooled by none of it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from datafactory.protocols import Box
from tests.sandboxes.contract import alive

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 1 << 20
"""Bytes kept of each stream, as both sandboxes have it by default."""


def peak() -> int:
    """Bytes of this process's highest resident memory since `forget_peak`."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) << 10


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


async def test_every_byte_arrives(box: Box) -> None:
    every = bytes(range(256)) * 3
    await box.write("/app/every", every)
    for command in ("cat every; cat every >&2", ["sh", "-c", "cat every; cat every >&2"]):
        result = await box.exec(command)
        assert (result.stdout, result.stderr, result.dropped) == (every, every, 0)


async def test_nul_bytes_and_noise_arrive(box: Box) -> None:
    noise = os.urandom(600_000) + b"\0" * 300_000 + b"\0\0"
    await box.write("/app/noise", noise)
    result = await box.exec("cat noise")
    assert hashlib.sha256(result.stdout).digest() == hashlib.sha256(noise).digest()


async def test_utf8_arrives_and_what_is_none_is_replaced_in_the_text_only(box: Box) -> None:
    result = await box.exec("echo 'žluťoučký 日本 🐎'; printf '\\xff\\xc3\\n'")
    assert result.stdout == "žluťoučký 日本 🐎\n".encode() + b"\xff\xc3\n"
    assert result.output == "žluťoučký 日本 🐎\n\ufffd\ufffd\n"
    assert (await box.exec(["python3", "-c", "print('日本')"])).stdout == "日本\n".encode()


async def test_of_much_output_the_beginning_and_the_end_are_kept_and_the_rest_is_counted(box: Box) -> None:
    whole = b"".join(b"%d\n" % number for number in range(1, 1_000_001))
    for command in ("seq 1000000", ["seq", "1000000"]):
        result = await box.exec(command)
        assert result.exit_code == 0
        assert len(result.stdout) == LIMIT and result.dropped == len(whole) - LIMIT
        assert result.stdout == whole[: LIMIT // 2] + whole[-LIMIT // 2 :]


async def test_both_streams_may_be_full(box: Box) -> None:
    result = await box.exec("seq 300000 >&2 & seq 300000; wait")
    assert len(result.stdout) == len(result.stderr) == LIMIT
    assert result.dropped == 2 * (len("\n".join(map(str, range(300_001)))) - 1 - LIMIT)
    assert result.stdout.endswith(b"\n300000\n") and result.stderr.endswith(b"\n300000\n")


async def test_a_flood_neither_fills_memory_nor_lasts(box: Box) -> None:
    await alive(box)
    forget_peak()
    before = peak()
    for command in ("yes | head -c 500M", ["sh", "-c", "yes | head -c 500M"], "yes >&2"):
        result = await box.exec(command, timeout=20)
        assert result.exit_code in (0, 124, 137)
        assert len(result.stdout) <= LIMIT and len(result.stderr) <= LIMIT
        assert result.dropped > 10 << 20
        assert b"yes" not in (await box.exec("cat /proc/[0-9]*/comm")).stdout
    assert peak() - before < 48 << 20
    await alive(box)


async def test_a_long_line_without_an_end_is_cut_too(box: Box) -> None:
    result = await box.exec("head -c 3000000 /dev/zero | tr '\\0' x")
    assert result.stdout == b"x" * LIMIT and result.dropped == 3_000_000 - LIMIT


async def test_what_looks_like_the_sandboxes_own_marks_is_output(box: Box) -> None:
    fakes = [
        b"\0",
        b"\0\0",
        b"\0" + b"a" * 16 + b"-",
        b"\0%s-exit 0 /\0" % (b"0" * 16),
        b"\1\0\0\0\0\0\0\4fake",
        b"\0" * 9,
    ]
    fakes += [b"\n%s:kill -9 -1\n" % (b"0" * 16), b"say x 0\n", b"\x1b[2J\x1b]0;t\7", b"EOF\n", b"\r\n", b"\x04\x03"]
    for fake in fakes:
        await box.write("/app/fake", fake)
        for command in ("cat fake; cat fake >&2; (exit 3)", ["sh", "-c", "cat fake; cat fake >&2; exit 3"]):
            result = await box.exec(command)
            assert (result.exit_code, result.stdout, result.stderr) == (3, fake, fake)


async def test_marks_learnt_from_a_trace_forge_no_result(box: Box) -> None:
    await box.exec("exec 2>/app/trace; set -xv")
    await box.exec("true")
    await box.exec("set +xv")
    trace = (await box.read("/app/trace") or b"") + (await box.exec("cat /proc/[0-9]*/cmdline")).stdout
    assert b"token=" not in trace
    result = await box.exec(["sh", "-c", "cat /app/trace; exit 4"])
    assert result.exit_code == 4


async def test_a_closed_stream_is_the_commands_own_trouble(box: Box) -> None:
    result = await box.exec("exec 1>&-; echo lost; echo heard >&2")
    assert result.stdout == b"" and b"heard\n" in result.stderr
    result = await box.exec("echo lost >/dev/full")
    assert result.exit_code == 1 and b"No space left" in result.stderr
    await alive(box)


async def test_output_through_proc_and_dev_arrives(box: Box) -> None:
    for path in ("/dev/stdout", "/proc/self/fd/1", "/dev/fd/1"):
        for command in (f"echo through >{path}", ["sh", "-c", f"echo through >>{path}"]):
            assert (await box.exec(command)).stdout == b"through\n", path
    assert (await box.exec("echo through >/dev/stderr")).stderr == b"through\n"
