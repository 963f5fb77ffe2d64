"""In the box of an SWE task, with an environment on PATH and a repository full of traps, nothing can be executed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from datafactory import layers
from datafactory.protocols import Box, Sandbox, SandboxHost
from datafactory.types import File, Files, files
from generators.swe.checkout_lines import PREPARE
from sandboxes.docker import DockerSandbox
from sandboxes.namespace import NamespaceSandbox
from sandboxes.no_execution import NoExecutionBox, NoExecutionSandbox
from tests.sandboxes.no_execution_attempts import BY_PROGRAMS as OTHERS
from tests.sandboxes.no_execution_attempts import BY_SHELL as OTHERS_BY_SHELL
from tests.sandboxes.no_execution_task_attempts import BY_GIT, BY_PROGRAMS, BY_PYTHON, BY_SHELL

CANARY = "/testbed/canary"
EVIL = f"#!/bin/sh\n: > {CANARY}\n"
EVIL_PY = f"open({CANARY!r}, 'w')\n"
SETTINGS = "[diff]\n\texternal = /testbed/evil.sh\n[user]\n\tname = a\n\temail = a@example.org\n"
SCRIPT = "#!/opt/env/bin/python\n"
TESTBED: Files = files(
    {
        "/testbed/evil.sh": EVIL,
        "/testbed/bin/ls": EVIL,
        "/testbed/bin/git-evil": EVIL,
        "/testbed/hooks/post-commit": EVIL,
        "/testbed/evil.py": EVIL_PY,
        "/testbed/conftest.py": EVIL_PY,
        "/testbed/setup.py": EVIL_PY,
        "/testbed/test_it.py": "def test_it():\n    pass\n",
        "/testbed/evil.cmake": "execute_process(COMMAND /testbed/evil.sh)\n",
        "/testbed/evil.gitconfig": SETTINGS,
        "/testbed/home/.gitconfig": SETTINGS,
        "/testbed/xdg/git/config": SETTINGS,
        "/testbed/.gitattributes": "*.txt filter=evil diff=evil\n",
        "/testbed/a.txt": "a line\n",
        "/testbed/big.txt": "".join(f"{number * 7919 % 100003} some text to sort\n" for number in range(20000)),
    }
)
ENVIRONMENT: Files = {
    "/opt/env/bin/python": File(link="/usr/bin/python3"),
    "/opt/env/bin/python3": File(link="/usr/bin/python3"),
    **files(
        {
            "/opt/env/bin/pytest": f"{SCRIPT}import runpy\nrunpy.run_path('/testbed/conftest.py')\n",
            "/opt/env/bin/py.test": f"{SCRIPT}import runpy\nrunpy.run_path('/testbed/conftest.py')\n",
            "/opt/env/bin/pip": f"{SCRIPT}import runpy\nrunpy.run_path('/testbed/setup.py')\n",
        }
    ),
}
INSIDE: dict[str, Sandbox] = {
    "namespace": NamespaceSandbox(memory="512m", disk="256m", pids=96, limiting="auto"),
    "docker": DockerSandbox(memory="512m", pids=96, pool=0),
}
KINDS = [
    pytest.param("namespace", marks=pytest.mark.namespace),
    pytest.param("docker", marks=[pytest.mark.docker, pytest.mark.slow]),
]
ATTEMPTS = (*BY_PYTHON, *BY_PROGRAMS, *BY_GIT, *BY_SHELL)


@pytest.fixture(params=KINDS)
def inside(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox that runs everything, on a machine with no other layers."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return INSIDE[request.param]


@asynccontextmanager
async def opened(host: SandboxHost) -> AsyncIterator[Box]:
    """A box as a task's is: its image a layer, its repository one commit."""
    image = "layer/no-execution"
    base = "software_engineering"
    layers.save(image, base=base, base_digest=host.image_digest(base), files=ENVIRONMENT, path=("/opt/env/bin",))
    async with host.open(image, TESTBED, workdir="/testbed", prepare=PREPARE) as box:
        yield box


def test_there_are_enough_lines_and_none_twice() -> None:
    assert len(set(ATTEMPTS)) == len(ATTEMPTS) >= 150
    assert len(set(ATTEMPTS) | {*OTHERS, *OTHERS_BY_SHELL}) >= 380


async def test_no_attempt_gets_through(inside: Sandbox) -> None:
    async with NoExecutionSandbox(inside=inside).start() as host, opened(host) as box:
        for line in ATTEMPTS:
            result = await box.exec(line)
            assert (line, result.exit_code, result.stderr[:9]) == (line, 126, b"not run: ")
        assert await box.read(CANARY) is None
        assert [violation.command for violation in box.violations] == list(ATTEMPTS)


@pytest.mark.slow
async def test_without_the_policy_no_interpreter_and_no_program_executes_anything(inside: Sandbox) -> None:
    async with NoExecutionSandbox(inside=inside).start() as host, opened(host) as box:
        assert isinstance(box, NoExecutionBox)
        for line in (*BY_PYTHON, *BY_PROGRAMS):
            await box.inside.exec(["bash", "-c", line], timeout=5)
        assert await box.read(CANARY) is None
        await box.inside.exec(["bash", "-c", "sh evil.sh"])
        assert await box.read(CANARY) is not None, "the canary would have been seen"


@pytest.mark.namespace
@pytest.mark.slow
async def test_most_attempts_are_real_where_everything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    again = "cd /; rm -rf /testbed/* /testbed/.[!.]* /opt/env/bin/*; cp -a /saved/testbed /saved/opt /"
    async with INSIDE["namespace"].start() as host, opened(host) as box:
        await box.exec("mkdir /saved; cp -a --parents /testbed /opt/env /saved", timeout=60)
        live = []
        for line in ATTEMPTS:
            await box.exec(["bash", "-c", line], timeout=2)
            seen = await box.exec(["bash", "-c", f"test -e {CANARY} && echo live; {again}"])
            live += [line] * (seen.stdout == b"live\n")
    assert len(live) >= 100
