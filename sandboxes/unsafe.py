"""The `unsafe` sandbox: no box at all, for machines that are thrown away afterwards, such as a job of CI."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import ClassVar

from datafactory import errands
from datafactory.errors import ConfigError, Missing, SandboxError
from datafactory.layers import PREFIX
from datafactory.protocols import Box, SandboxHost
from datafactory.spec import Spec
from datafactory.types import Files
from sandboxes.link import Link, ProcessLink
from sandboxes.search_path import STANDARD_PATH
from sandboxes.shell import Shell
from sandboxes.shell_box import ShellBox

_SET_CHILD_SUBREAPER = 36
"""Of prctl(2): orphans below this process become its children, so that a timeout finds them."""


class UnsafeSandbox(Spec):
    """Runs commands on this very machine, as this very user, with its network and all its files. Paths cannot be
    redirected: a task's /app is the machine's /app. Nothing is limited but time and output; one box at a time."""

    use_name: ClassVar[str] = "unsafe"

    name: str = "unsafe"
    """How rows call it."""
    i_know: bool = False
    """Must be true: this machine is disposable, and what runs here may read, change and delete everything on it."""
    output: int = 1 << 20
    """Bytes kept of each stream of a command: the first and the last half of them."""

    def start(self) -> AbstractAsyncContextManager[SandboxHost]:
        """Raises ConfigError unless `i_know`."""
        return self._start()

    @asynccontextmanager
    async def _start(self) -> AsyncIterator[SandboxHost]:
        if not self.i_know:
            raise ConfigError(
                "sandbox unsafe runs tasks on this very machine, without any isolation; on a machine that is thrown "
                "away afterwards, say {use: unsafe, i_know: true}"
            )
        warnings.warn("sandbox unsafe: tasks run on this machine without isolation", stacklevel=2)
        yield UnsafeHost(self)


class UnsafeHost:
    """A sandbox that is up."""

    def __init__(self, spec: UnsafeSandbox) -> None:
        self._spec = spec
        self._one = asyncio.Lock()

    def image_digest(self, image: str) -> str:
        """Nothing is known of the machine; the same for every image."""
        return "unsafe:this-machine"

    @asynccontextmanager
    async def open(
        self, image: str, files: Files, *, workdir: str = "/app", prepare: Sequence[str] = ()
    ) -> AsyncIterator[Box]:
        """The machine, once the box before is closed; what was placed, and what lies in a workdir that was not there
        before, is removed at the end. Raises SandboxError, also where a file to be placed is already there, and Missing
        for a layer, which would have to be put into this machine's own folders."""
        if image.startswith(PREFIX):
            raise Missing(f"sandbox unsafe opens no boxes on layers ({image!r}); use docker, or namespace")
        async with self._one:
            if present := sorted(path for path in files if os.path.lexists(path)):
                raise SandboxError(f"sandbox unsafe would overwrite {present[0]}, which is this machine's")
            new = [top for path in (workdir, *files) if (top := _first_missing(path))]
            environment = {
                "PATH": os.environ.get("PATH", STANDARD_PATH),
                "HOME": "/root" if os.geteuid() == 0 else "/tmp",
            }
            environment |= {"LANG": "C.UTF-8", "TERM": "xterm-256color", "TZ": "UTC"}

            async def connect() -> Link:
                argv = ["bash", "--noprofile", "--norc"]
                return await ProcessLink.open(argv, environment=environment, prepare=_adopt_orphans)

            shell = Shell(connect, workdir=workdir, output_limit=self._spec.output, own_processes=False)
            try:
                box = ShellBox(shell)
                await box.place(files, workdir)
                await errands.prepare(box, prepare)
                yield box
            finally:
                await shell.purge()
                await shell.close()
                await asyncio.to_thread(_remove, new)


def _adopt_orphans() -> None:
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _first_missing(path: str) -> Path | None:
    """The topmost part of `path` that does not exist."""
    parts = [Path(path), *Path(path).parents]
    return next((part for part in reversed(parts) if not os.path.lexists(part)), None)


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
