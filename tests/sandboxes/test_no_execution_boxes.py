"""Boxes in which nothing may be executed: what gets through with both lines of defence, and with the second alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from datafactory.errors import SandboxError
from datafactory.protocols import Box, Sandbox, SandboxHost
from sandboxes.docker import DockerSandbox
from sandboxes.namespace import NamespaceSandbox
from sandboxes.no_execution import NoExecutionBox, NoExecutionSandbox, WriteRefused
from sandboxes.no_execution.sandbox import NoExecutionHost
from tests.sandboxes.no_execution_attempts import BY_PROGRAMS, BY_SHELL
from tests.sandboxes.no_execution_honest import HONEST
from tests.sandboxes.no_execution_repository import CANARY, repository

INSIDE: dict[str, Sandbox] = {
    "namespace": NamespaceSandbox(memory="512m", disk="256m", pids=96, limiting="auto"),
    "docker": DockerSandbox(memory="512m", pids=96, pool=0),
    "docker-agent": DockerSandbox(memory="512m", pids=96, pool=0, user="agent"),
}
KINDS = [
    pytest.param("namespace", marks=pytest.mark.namespace),
    pytest.param("docker", marks=pytest.mark.docker),
    pytest.param("docker-agent", marks=pytest.mark.docker),
]
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", params=KINDS)
def inside(request: pytest.FixtureRequest) -> Sandbox:
    """A sandbox that runs everything."""
    return INSIDE[request.param]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(inside: Sandbox) -> AsyncIterator[NoExecutionHost]:
    """The same, with nothing to be executed."""
    async with NoExecutionSandbox(inside=inside).start() as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_host(inside: Sandbox) -> AsyncIterator[SandboxHost]:
    """The same, as it is."""
    async with inside.start() as started:
        yield started


async def trace(box: Box, line: str) -> bool:
    """Whether a line leaves the canary."""
    await box.exec(line, timeout=10)
    return await box.read(CANARY) is not None


async def test_no_attempt_gets_through_both_lines_of_defence(host: NoExecutionHost) -> None:
    attempts = (*BY_PROGRAMS, *BY_SHELL)
    async with host.open("software_engineering", repository()) as box:
        for line in attempts:
            result = await box.exec(line)
            assert result.exit_code == 126
            assert result.stderr.startswith(b"not run: ")
            assert await box.read(CANARY) is None, line
        assert [violation.command for violation in box.violations] == list(attempts)


async def live(host: SandboxHost, lines: Sequence[str], *, bare: bool = False) -> list[str]:
    """Lines that leave the canary, each in a box of its own, a few boxes at a time; `bare`: without the policy."""
    places = asyncio.Semaphore(4)

    async def leaves(line: str) -> bool:
        async with places, host.open("software_engineering", repository()) as box:
            return await trace(box.inside if bare and isinstance(box, NoExecutionBox) else box, line)

    return [line for line, left in zip(lines, await asyncio.gather(*map(leaves, lines)), strict=True) if left]


@pytest.mark.slow
async def test_without_the_policy_no_program_but_the_shell_itself_executes_anything(host: NoExecutionHost) -> None:
    assert await live(host, BY_PROGRAMS, bare=True) == []


# As root alone: whether an attempt is a real one does not hang on the user.
@pytest.mark.slow
@pytest.mark.parametrize("inside", KINDS[:2], indirect=True)
async def test_the_attempts_are_real_in_a_box_that_runs_everything(open_host: SandboxHost) -> None:
    attempts = (*BY_PROGRAMS, *BY_SHELL)
    found = await live(open_host, attempts)
    print(f"{len(found)} of {len(attempts)} live; not: {[line for line in attempts if line not in found]}")
    assert len(found) >= 150


async def test_honest_lines_do_what_they_do_elsewhere(host: NoExecutionHost, open_host: SandboxHost) -> None:
    files = {path: file for path, file in repository().items() if "/hooks/" not in path}
    async with (
        host.open("software_engineering", files) as box,
        open_host.open("software_engineering", files) as other,
    ):
        await other.exec("git config --global --add safe.directory /app")
        for line in HONEST:
            ours, theirs = await box.exec(line), await other.exec(line)
            assert (line, ours.exit_code, ours.stdout) == (line, theirs.exit_code, theirs.stdout)
        assert box.violations == []


async def test_files_travel_and_the_systems_and_gits_are_refused(host: NoExecutionHost) -> None:
    async with host.open("base", repository()) as box:
        await box.write("/app/src/new.py", b"x = 1\n")
        assert await box.read("/app/src/new.py") == b"x = 1\n"
        found, _ = await box.pull(["/app/src/"])
        assert "/app/src/new.py" in found
        for path in ("/app/.git/hooks/pre-commit", "/app/.git/config", "/usr/bin/ls", "/etc/profile", "/app/-e"):
            with pytest.raises(WriteRefused):
                await box.write(path, b"#!/bin/sh\n")
        assert len(box.violations) == 5


async def test_nothing_of_the_system_can_be_replaced_even_without_the_policy(host: NoExecutionHost) -> None:
    async with host.open("base", repository()) as box:
        for line in (
            "cat evil.sh > /usr/bin/wc",
            "cp evil.sh /usr/bin/newcomer",
            "mv /usr/bin/ls /usr/bin/ll",
            "rm /usr/bin/ls",
            "mkdir /usr/local/bin/x",
            "mv /usr/local/bin /usr/local/was",
            "echo x > /etc/ld.so.preload",
            "cp --attributes-only --preserve=mode evil.sh /usr/bin/wc && cat evil.sh > /usr/bin/wc",
        ):
            assert (await box.inside.exec(line)).exit_code != 0, line
        assert (await box.exec("ls /app")).exit_code == 0


async def test_git_sees_one_repository_and_runs_nothing_of_its_settings(host: NoExecutionHost) -> None:
    async with host.open("software_engineering", repository()) as box:
        made = "mkdir -p r/x; cp -r .git r/x/.git; printf '[diff]\\n external=/app/evil.sh\\n' > r/x/.git/config"
        await box.inside.exec(made)
        assert (await box.exec("cd r/x; git diff; git status; git log -p; git show; cd /app")).exit_code == 0
        assert await box.read(CANARY) is None
        assert (await box.exec(["git", "log", "--format=%s"])).stdout == b"first\n"


async def test_a_repository_whose_own_settings_run_programs_does_not_open(host: NoExecutionHost) -> None:
    files = dict(repository())
    config = files["/app/.git/config"]
    files["/app/.git/config"] = config.model_copy(update={"data": config.data + b"[diff]\n\texternal = ./evil.sh\n"})
    with pytest.raises(SandboxError, match=r"diff\.external"):
        async with host.open("software_engineering", files):
            pass


async def test_the_shell_that_ends_comes_back_and_is_watched_as_before(host: NoExecutionHost) -> None:
    async with host.open("base", {}) as box:
        await box.exec("cd /tmp")
        assert (await box.exec("exit 3")).exit_code == 3
        assert (await box.exec("pwd")).stdout == b"/tmp\n"
        assert (await box.exec("sleep 5", timeout=0.3)).timed_out
        assert (await box.exec("echo back; git status")).stdout == b"back\n"
        assert (await box.exec("python3 -V")).exit_code == 126


@pytest.mark.namespace
async def test_a_box_whose_programs_cannot_be_taken_out_does_not_open_unless_told() -> None:
    read_only = NamespaceSandbox(engine="bubblewrap")
    from sandboxes.namespace.probe import look

    if not look().bubblewrap:
        pytest.skip("bubblewrap is not installed")
    async with NoExecutionSandbox(inside=read_only).start() as host:
        if look().bubblewrap_overlay:
            pytest.skip("this bubblewrap overlays")
        with pytest.raises(SandboxError, match="strip: false"):
            async with host.open("base", {}):
                pass
    async with (
        NoExecutionSandbox(inside=read_only, strip=False).start() as host,
        host.open("base", {}) as box,
    ):
        assert isinstance(box, NoExecutionBox)
        assert (await box.exec("python3 -V")).exit_code == 126
        assert (await box.exec("echo ok")).stdout == b"ok\n"


async def test_a_program_with_its_arguments_runs_or_is_refused_as_a_line_is(host: NoExecutionHost) -> None:
    async with host.open("base", {}) as box:
        assert (await box.exec(["echo", "a b"])).stdout == b"a b\n"
        assert (await box.exec(["python3", "-c", "open('/app/canary', 'w')"])).exit_code == 126
        assert box.violations[0].command.startswith("python3 -c ")
