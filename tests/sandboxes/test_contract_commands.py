"""Every sandbox runs commands alike: exit codes, streams, signals, timeouts, background processes."""

from __future__ import annotations

import time
import uuid

import pytest

from datafactory.protocols import Box, SandboxHost
from tests.sandboxes.contract import alive, becomes, inside, outside

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_exit_code_is_the_commands(box: Box) -> None:
    for code in (0, 1, 2, 7, 124, 126, 127, 137, 255):
        for command in (f"(exit {code})", ["bash", "-c", f"exit {code}"]):
            result = await box.exec(command)
            assert (result.exit_code, result.timed_out, result.stdout) == (code, False, b"")


async def test_output_and_errors_come_apart(box: Box) -> None:
    script = "echo out; echo err >&2; echo out again"
    for command in (script, ["bash", "-c", script]):
        result = await box.exec(command)
        assert (result.stdout, result.stderr, result.dropped) == (b"out\nout again\n", b"err\n", 0)
    result = await box.exec("printf 'no newline'; printf 'none here' >&2")
    assert (result.stdout, result.stderr) == (b"no newline", b"none here")


async def test_what_cannot_be_run_is_126_or_127_as_in_bash(box: Box) -> None:
    for command in ("no-such-program --x", ["no-such-program", "--x"], ["/no/such/program"]):
        result = await box.exec(command)
        assert result.exit_code == 127 and result.stderr
    await box.write("/app/plain", b"#!/bin/sh\n")
    for command in ("/app/plain", ["/app/plain"], ["./plain"], ["/app"]):
        result = await box.exec(command)
        assert result.exit_code == 126 and result.stderr


async def test_a_command_without_a_word_or_with_a_nul_is_refused_as_a_result(box: Box) -> None:
    for command in ([], ["echo", "a\0b"], "echo a\0b"):
        result = await box.exec(command)
        assert result.exit_code != 0 and result.stdout == b""
    assert (await box.exec("")).exit_code == 0
    await alive(box)


async def test_arguments_arrive_as_they_are(box: Box) -> None:
    words = ["", " ", "a b", "$HOME", "`id`", "*", "'", '"', "\\", "\n", "\t", "!!", "-n", "é", "日本", "\x7f", "\x01"]
    result = await box.exec(["printf", "%s\\0", *words])
    assert result.stdout.decode().split("\0")[:-1] == words
    long = "x" * 100_000
    assert (await box.exec(["printf", "%s", long])).stdout.decode() == long
    assert (await box.exec(f"printf %s {long}")).stdout.decode() == long


async def test_bytes_that_are_not_utf8_arrive_too(box: Box) -> None:
    word = b"\xff\xfe caf\xe9".decode(errors="surrogateescape")
    assert (await box.exec(["printf", "%s", word])).stdout == b"\xff\xfe caf\xe9"
    assert (await box.exec(f"printf %s '{word}'")).stdout == b"\xff\xfe caf\xe9"


async def test_a_signal_is_128_and_its_number(box: Box) -> None:
    for name, number in (("TERM", 15), ("KILL", 9), ("SEGV", 11), ("INT", 2), ("HUP", 1), ("PIPE", 13)):
        for command in (f"bash -c 'kill -{name} $$'", ["bash", "-c", f"kill -{name} $$"]):
            result = await box.exec(command)
            assert (result.exit_code, result.timed_out) == (128 + number, False), name
    await alive(box)


async def test_a_line_that_kills_its_own_shell_is_a_result_and_the_next_line_runs(box: Box) -> None:
    await box.exec("cd /tmp")
    result = await box.exec("echo before; kill -9 $$; echo after")
    assert (result.exit_code, result.stdout) == (137, b"before\n")
    assert (await box.exec("pwd")).stdout == b"/tmp\n"
    await alive(box)


async def test_a_timeout_is_124_with_what_was_printed_and_ends_all_that_the_command_started(box: Box) -> None:
    script = "echo begun; echo bad >&2; sleep 7001 & setsid sleep 7002 & (trap '' TERM INT HUP; sleep 7003); sleep 7004"
    for command in (script, ["bash", "-c", script]):
        begun = time.monotonic()
        result = await box.exec(command, timeout=1)
        assert time.monotonic() - begun < 8
        assert (result.exit_code, result.timed_out) == (124, True)
        assert (result.stdout, result.stderr) == (b"begun\n", b"bad\n")
        assert b"sleep 700" not in await inside(box)
        await alive(box)


async def test_a_timeout_spares_what_ran_before(box: Box) -> None:
    await box.exec("cd /tmp; sleep 7011 &")
    assert (await box.exec("sleep 7012", timeout=0.5)).timed_out
    running = await inside(box)
    assert b"sleep 7011" in running and b"sleep 7012" not in running
    assert (await box.exec("pwd")).stdout == b"/tmp\n"


async def test_a_loop_in_the_shell_itself_is_ended_too(box: Box) -> None:
    for line in ("while :; do :; done", "trap '' TERM INT HUP QUIT; while :; do :; done", "read x <> <(:)", "wait -n"):
        begun = time.monotonic()
        await box.exec(f"sleep 7021 & {line}", timeout=0.5)
        assert time.monotonic() - begun < 8
        await alive(box)


async def test_a_background_process_does_not_block_and_lives_on_until_the_box_closes(host: SandboxHost) -> None:
    word = f"box-{uuid.uuid4().hex}"
    async with host.open("base", {}) as box:
        begun = time.monotonic()
        stay = f"exec -a {word} sleep 300"
        assert (await box.exec(f"({stay}) & echo now")).stdout == b"now\n"
        assert (await box.exec(["bash", "-c", f"({stay}) & echo now"])).stdout == b"now\n"
        assert (await box.exec(f"nohup setsid bash -c '{stay}' >/dev/null 2>&1 & disown; echo now")).stdout == b"now\n"
        assert time.monotonic() - begun < 10
        assert await becomes(lambda: len(outside(word)) >= 3), "they run, and this machine can see them"
        # A look goes through /proc while the three still take their names, and may miss one.
        while (await inside(box)).count(word.encode()) < 3:
            assert time.monotonic() - begun < 20, "the box can see them too"
        await alive(box)
    assert await becomes(lambda: not outside(word)), "they ended with the box"


async def test_a_server_in_the_background_answers_the_next_command(box: Box) -> None:
    await box.write("/srv/page", b"served")
    await box.exec("python3 -m http.server 8123 --bind 127.0.0.1 -d /srv >/dev/null 2>&1 &")
    ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8123/page').read().decode())"
    answer = await box.exec(f'for i in {{1..100}}; do python3 -c "{ask}" 2>/dev/null && break; sleep 0.1; done')
    assert answer.stdout == b"served\n"


async def test_standard_input_is_empty(box: Box) -> None:
    for command in ("cat", ["cat"], "read x; (( $? == 1 )) && echo -n", "python3", ["bash"], "wc -c | grep -qx 0"):
        result = await box.exec(command, timeout=10)
        assert (result.exit_code, result.stdout) == (0, b""), command
    assert (await box.exec("[ -t 0 ]")).exit_code == 1


async def test_a_background_process_that_prints_late_troubles_nobody(box: Box) -> None:
    await box.exec("(sleep 0.3; echo late; echo late >&2) & echo on time")
    for _ in range(20):
        result = await box.exec(["sh", "-c", "sleep 0.05; echo mine"])
        assert result.exit_code == 0 and b"mine\n" in result.stdout
