"""A box that is nothing but a shell: files travel through the same link as commands."""

from __future__ import annotations

from collections.abc import Sequence

from datafactory.protocols import ExecResult
from datafactory.types import File, Files
from sandboxes.courier import Courier
from sandboxes.shell import Shell

_NO_PROCESS = 254
"""Exit status of a bash that could not fork."""


class ShellCourier(Courier):
    """Carries files through a shell rather than through a link of its own."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._owner = None

    async def _travel(self, script: bytes, cargo: bytes) -> tuple[int, bytes, bytes]:
        answer = await self._shell.journey(script, cargo)
        if answer[0] == _NO_PROCESS:  # other processes filled the box meanwhile
            await self._shell.purge()
            answer = await self._shell.journey(script, cargo)
        return answer


class ShellBox:
    """See `Box`."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._courier = ShellCourier(shell)

    async def place(self, files: Files, workdir: str) -> None:
        """Put `files` where they belong, and make the workdir."""
        await self._courier.make_folder(workdir)
        await self._courier.put(files)

    async def exec(self, command: str | Sequence[str], *, timeout: float = 30.0) -> ExecResult:
        """Run a line of bash, or a program."""
        return await self._shell.run(command, timeout=timeout)

    async def read(self, path: str) -> bytes | None:
        """The content of a regular file, links followed inside the box."""
        return await self._courier.read(path)

    async def write(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """Make or replace a file, and the folders above it."""
        await self._courier.put({path: File(data=data, mode=mode)})

    async def pull(self, paths: Sequence[str], *, limit: int = 16 << 20) -> tuple[Files, str]:
        """Files and links at `paths`, and what was left out."""
        return await self._courier.take(paths, limit=limit)

    async def push(self, files: Files) -> None:
        """Make or replace many files."""
        await self._courier.put(files)
