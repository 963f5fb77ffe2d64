"""What the contract suite runs over: each sandbox by name, and ways to look into a box and at this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from datafactory.protocols import Box
from sandboxes.docker import DockerSandbox
from sandboxes.namespace import NamespaceSandbox

Recipe = DockerSandbox | NamespaceSandbox

MEMORY, DISK, PIDS = 256 << 20, 64 << 20, 64

RECIPES: dict[str, Recipe] = {
    "docker": DockerSandbox(memory="256m", disk="64m", pids=PIDS, pool=2),
    "docker-agent": DockerSandbox(memory="256m", disk="64m", pids=PIDS, pool=0, user="agent"),
    "bubblewrap": NamespaceSandbox(engine="bubblewrap", memory="256m", disk="64m", pids=PIDS),
    "bubblewrap-watched": NamespaceSandbox(engine="bubblewrap", limiting="watch", memory="256m", disk="64m", pids=PIDS),
    "unshare": NamespaceSandbox(engine="unshare", memory="256m", disk="64m", pids=PIDS),
    "unshare-watched": NamespaceSandbox(engine="unshare", limiting="watch", memory="256m", disk="64m", pids=PIDS),
}
EVERY = ("docker", "bubblewrap", "unshare")
"""One of each kind."""
EVERY_LIMIT = tuple(RECIPES)
"""Each way to hold a box to its limits as well."""


async def alive(box: Box) -> None:
    """Fails unless the box runs lines and programs and moves files, with the right answers."""
    line, program = await box.exec("builtin echo li''ne", timeout=20), await box.exec(["echo", "program"], timeout=20)
    assert (line.exit_code, line.stdout) == (0, b"line\n")
    assert (program.exit_code, program.stdout, program.stderr) == (0, b"program\n", b"")
    await box.write("/tmp/alive", b"file\0")
    assert await box.read("/tmp/alive") == b"file\0"


async def inside(box: Box) -> bytes:
    """The command lines of all processes in the box, NULs as spaces."""
    return (await box.exec("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '")).stdout


def outside(word: str) -> list[str]:
    """Ids of this machine's processes whose command line holds `word`, zombies aside."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (folder / "cmdline").read_bytes():
                found.append(folder.name)
        except OSError:  # it ended meanwhile
            continue
    return found


async def becomes(true: Callable[[], bool], *, within: float = 20.0) -> bool:
    """Whether `true` comes true within so many seconds."""
    until = time.monotonic() + within
    while not true():
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.1)
    return True
