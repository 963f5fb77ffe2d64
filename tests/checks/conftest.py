"""What the tests of judging share: a box without walls, whose programs run on this machine for real."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from datafactory.protocols import ExecResult
from datafactory.types import Files


class OpenBox:
    """Runs programs in a folder of this machine; enough of a Box for judging."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def exec(self, command: str | Sequence[str], *, timeout: float = 30.0) -> ExecResult:
        argv = ["bash", "-c", command] if isinstance(command, str) else list(command)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *argv, cwd=self.folder, stdout=pipe, stderr=pipe, start_new_session=True
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), timeout)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            return ExecResult(124, b"", b"", timed_out=True)
        code = process.returncode or 0
        return ExecResult(128 - code if code < 0 else code, out, err)

    async def read(self, path: str) -> bytes | None:
        return Path(path).read_bytes() if Path(path).is_file() else None

    async def write(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(data)
        Path(path).chmod(mode)

    async def pull(self, paths: Sequence[str], *, limit: int = 16 << 20) -> tuple[Files, str]:
        raise NotImplementedError("judging pulls nothing")

    async def push(self, files: Files) -> None:
        for path, file in files.items():
            await self.write(path, file.data, mode=file.mode)


@pytest.fixture
def box(tmp_path: Path) -> OpenBox:
    """A box whose workdir is a fresh folder."""
    return OpenBox(tmp_path)
