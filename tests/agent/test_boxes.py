"""The terminal in the factory's own boxes."""

from __future__ import annotations

from typing import Any

import pytest

from datafactory.agent.keys import Keys
from datafactory.agent.terminal import Terminal
from datafactory.types import files


async def _works(sandbox: Any) -> None:
    async with sandbox.start() as host, host.open("base", files({"/app/a.txt": "hi\n"})) as box:
        terminal = Terminal(box, "/app")
        assert (await terminal.start()).text.endswith("@box:/app# ")
        assert (await terminal.type([])).view.text.rstrip().endswith("@box:/app#")
        assert len((await terminal.type([])).view.text.splitlines()) == 1  # the prompt, and nothing of `script`
        seen = await terminal.type([Keys("cat a.txt\n"), Keys("sleep 100\n", 0.1), Keys("C-c", 10.0)])
        assert "cat a.txt\nhi\n" in seen.view.text
        assert "^C" in seen.view.text
        assert seen.view.text.endswith("@box:/app# ")
        await terminal.type([Keys("echo made > b.txt\n", 5.0)])
        made = (await box.pull(["/app/b.txt"]))[0]["/app/b.txt"]
        assert (made.data, made.mode) == (b"made\n", 0o644)


@pytest.mark.namespace
async def test_the_terminal_works_in_a_namespace_box():
    from sandboxes.namespace import NamespaceSandbox

    await _works(NamespaceSandbox())


@pytest.mark.docker
async def test_the_terminal_works_in_a_docker_box():
    from sandboxes.docker import DockerSandbox

    await _works(DockerSandbox())
