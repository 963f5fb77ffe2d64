"""The shell of a box, over a bash of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from datafactory.errors import SandboxError
from sandboxes.link import Link, ProcessLink
from sandboxes.shell import Shell

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


async def bash() -> Link:
    """A bash that adopts no orphans."""
    return await ProcessLink.open(["bash", "--noprofile", "--norc"], environment=ENVIRONMENT)


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    """A shell in a folder of its own."""
    made = Shell(bash, workdir=str(tmp_path), environment={"GREETING": "grüß 'dich'"}, own_processes=False)
    yield made
    await made.purge()
    await made.close()


async def test_a_line_finds_what_the_line_before_it_left(shell: Shell, tmp_path: Path) -> None:
    await shell.run("mkdir deep; cd deep; x=3; f() { echo f$1; }; alias hi='echo hi'; export Y=y")
    result = await shell.run("f $x; pwd; hi; printenv Y GREETING")
    assert result.stdout.decode() == f"f3\n{tmp_path}/deep\nhi\ny\ngrüß 'dich'\n"
    assert (result.exit_code, result.stderr) == (0, b"")


async def test_a_program_finds_nothing_of_what_lines_did(shell: Shell, tmp_path: Path) -> None:
    await shell.run("cd /; export GREETING=no X=1; cat() { echo mine; }; set -u")
    result = await shell.run(["bash", "-c", 'pwd; printenv GREETING X; echo $0 "$@"', "a b", "", "$HOME *"])
    assert result.stdout.decode() == f"{tmp_path}\ngrüß 'dich'\na b  $HOME *\n"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("true", 0),
        ("(exit 9)", 9),
        ("exit 3", 3),
        ("set -e; false; echo no", 1),
        ("if then", 2),
        ("echo 'open", 2),
        ("no-such-program", 127),
        ("/etc/passwd", 126),
        ("bash -c 'kill -9 $$'", 137),
        ("kill -9 $$", 137),
        ("kill 0", 143),
        ("exec bash -c 'exit 7'", 7),
        ("trap '' EXIT; exit 4", 4),
        (["false"], 1),
        (["no-such-program"], 127),
        (["/no/such/program"], 127),
        (["/etc/passwd"], 126),
        (["bash", "-c", "kill -TERM $$"], 143),
        (["bash", "-c", "kill -9 0"], 137),
        ([], 2),
        ("echo \0", 2),
    ],
)
async def test_a_command_ends_with_its_status_and_the_shell_goes_on(
    shell: Shell, tmp_path: Path, command: str | list[str], status: int
) -> None:
    assert (await shell.run("cd /usr")).exit_code == 0
    result = await shell.run(command, timeout=10)
    assert (result.exit_code, result.timed_out) == (status, False), result
    after = await shell.run("echo $?; pwd")
    assert after.stdout.endswith(b"/usr\n") and after.stderr == b"", after


async def test_the_last_status_is_there_for_the_next_line(shell: Shell) -> None:
    await shell.run("(exit 42)")
    assert (await shell.run("echo $?")).stdout == b"42\n"


@pytest.mark.parametrize("line", ["break", "continue", "return 1", "exec >/dev/null", "set -x", "exec 0<&- 1>&- 2>&-"])
async def test_a_line_cannot_break_what_carries_it(shell: Shell, line: str) -> None:
    await shell.run(line, timeout=10)
    assert (await shell.run("echo out; cd .", timeout=10)).stdout == b"out\n"


async def test_streams_stay_apart_and_bytes_stay_bytes(shell: Shell) -> None:
    everything = bytes(range(1, 256))
    result = await shell.run("printf '%s' '" + "ä€" + r"' >&2; printf '\0\1\377\0'")
    assert (result.stdout, result.stderr) == (b"\0\1\xff\0", "ä€".encode())
    text = everything.replace(b"'", b"").decode(errors="surrogateescape")
    assert (await shell.run(f"printf %s '{text}'")).stdout == everything.replace(b"'", b"")
    assert (await shell.run(["printf", "%s", text])).stdout == everything.replace(b"'", b"")
    assert (await shell.run("printf %s '\ud83d'")).stdout == b"\xed\xa0\xbd"


async def test_a_line_may_be_long_and_hold_here_documents(shell: Shell) -> None:
    body = "".join(f"line {i} $HOME `x` \\ 'q' \"d\"\n" for i in range(5_000))
    result = await shell.run(f"cat <<'END'\n{body}END\ncat <<< two")
    assert result.stdout.decode() == body + "two\n"


async def test_standard_input_is_empty(shell: Shell) -> None:
    for command in ("cat; read x; echo $?", ["bash", "-c", "cat; read x; echo $?"]):
        assert (await shell.run(command, timeout=5)).stdout == b"1\n"


async def test_a_background_process_does_not_hold_a_line_up_and_lives_on(shell: Shell, tmp_path: Path) -> None:
    result = await shell.run("{ sleep 0.3; echo late >late; } & sleep 100 & echo $!", timeout=5)
    assert not result.timed_out
    await asyncio.sleep(0.6)
    assert (tmp_path / "late").read_text() == "late\n"
    assert (await shell.run(f"kill -0 {result.stdout.decode()}")).exit_code == 0


async def test_a_timeout_ends_what_the_line_started_and_nothing_else(shell: Shell, tmp_path: Path) -> None:
    await shell.run("cd /usr; sleep 1000 & echo $! >" + str(tmp_path / "old"))
    result = await shell.run("echo begun; bash -c 'sleep 1001 & sleep 1002'", timeout=0.5)
    assert (result.exit_code, result.timed_out, result.stdout) == (124, True, b"begun\n")
    assert (await shell.run(f"kill $(cat {tmp_path}/old)")).exit_code == 0
    assert (await shell.run("pwd; pgrep -f 'sleep 100[12]'")).stdout == b"/usr\n"


async def test_a_timed_out_program_leaves_the_shell_as_it_was(shell: Shell) -> None:
    await shell.run("x=kept")
    result = await shell.run(["bash", "-c", "echo partial; trap '' TERM; while :; do :; done"], timeout=0.3)
    assert (result.exit_code, result.timed_out, result.stdout) == (124, True, b"partial\n")
    assert (await shell.run("echo $x")).stdout == b"kept\n"


async def test_a_loop_of_the_shell_itself_times_out(shell: Shell) -> None:
    assert (await shell.run("while :; do :; done", timeout=0.3)).timed_out
    assert (await shell.run("trap '' TERM INT; while :; do sleep 0.01; done", timeout=0.3)).timed_out
    assert (await shell.run("echo on")).stdout == b"on\n"


async def test_a_stopped_shell_times_out(shell: Shell) -> None:
    assert (await shell.run("kill -STOP $$", timeout=0.5)).timed_out
    assert (await shell.run("echo on")).stdout == b"on\n"


async def test_long_output_keeps_its_ends_and_counts_the_rest(tmp_path: Path) -> None:
    shell = Shell(bash, workdir=str(tmp_path), output_limit=1000, own_processes=False)
    result = await shell.run("seq 100000; seq 100000 >&2")
    whole = "".join(f"{i}\n" for i in range(1, 100_001)).encode()
    assert result.stdout == result.stderr == whole[:500] + whole[-500:]
    assert result.dropped == 2 * (len(whole) - 1000)
    await shell.close()


async def test_endless_output_ends_the_command(tmp_path: Path) -> None:
    shell = Shell(bash, workdir=str(tmp_path), output_cap=4 << 20, own_processes=False)
    result = await shell.run("yes", timeout=30)
    assert (result.exit_code, result.timed_out) == (137, False)
    assert result.dropped >= (4 << 20) - (1 << 20) and len(result.stdout) == 1 << 20
    assert (await shell.run("echo on")).stdout == b"on\n"
    await shell.close()


async def test_commands_at_the_same_time_wait_for_each_other(shell: Shell) -> None:
    results = await asyncio.gather(*(shell.run(f"echo {i}; sleep 0.01; echo {i}") for i in range(20)))
    assert [r.stdout.decode().split() for r in results] == [[str(i)] * 2 for i in range(20)]


async def test_a_cancelled_command_is_gone_before_the_next_one(shell: Shell) -> None:
    for command in ("echo early; sleep 1003", ["sleep", "1003"]):
        task = asyncio.create_task(shell.run(command, timeout=60))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await shell.run("pgrep -f 'sleep [1]003'; echo done")).stdout == b"done\n"


async def test_a_bash_that_cannot_be_had_is_the_boxs_fault() -> None:
    async def nothing() -> Link:
        return await ProcessLink.open(["/no/such/bash"], environment={})

    async def deaf() -> Link:
        return await ProcessLink.open(["true"], environment=ENVIRONMENT)

    for connect in (nothing, deaf):
        with pytest.raises(SandboxError):
            await Shell(connect).run("true")
