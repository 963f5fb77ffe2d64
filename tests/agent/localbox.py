"""A box without walls for the agent's tests: a real bash on this machine, in folders of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from datafactory.protocols import ExecResult
from datafactory.types import File, Files


class LocalBox:
    """Keeps one bash; `cd` and variables last until a timeout ends it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lines = 0
        self._shell: asyncio.subprocess.Process | None = None

    async def _bash(self) -> asyncio.subprocess.Process:
        if self._shell is None or self._shell.returncode is not None:
            pipe = asyncio.subprocess.PIPE
            environment = {"PATH": os.environ["PATH"], "TMPDIR": str(self.root.parent)}
            self._shell = await asyncio.create_subprocess_exec(
                *("bash", "--norc", "--noprofile"),
                cwd=self.root,
                stdin=pipe,
                stdout=pipe,
                start_new_session=True,
                env=environment,
            )
        return self._shell

    async def exec(self, command: str | Sequence[str], *, timeout: float = 30.0) -> ExecResult:
        self.lines += 1
        out, err = self.root.parent / "out", self.root.parent / "err"
        if not isinstance(command, str):
            command = f"( cd {shlex.quote(str(self.root))} && exec {shlex.join(command)} )"
        (self.root.parent / "line").write_text(command)
        shell = await self._bash()
        assert shell.stdin and shell.stdout
        shell.stdin.write(f". {self.root.parent}/line >{out} 2>{err} </dev/null\necho $?\n".encode())
        await shell.stdin.drain()
        try:
            code = await asyncio.wait_for(shell.stdout.readline(), timeout)
        except TimeoutError:
            os.killpg(shell.pid, signal.SIGKILL)
            await shell.wait()
            return ExecResult(124, out.read_bytes(), err.read_bytes(), timed_out=True)
        return ExecResult(int(code or b"1"), out.read_bytes(), err.read_bytes())

    async def read(self, path: str) -> bytes | None:
        return Path(path).read_bytes() if Path(path).is_file() else None

    async def write(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(data)
        Path(path).chmod(mode)

    async def pull(self, paths: Sequence[str], *, limit: int = 16 << 20) -> tuple[Files, str]:
        return {path: File(data=Path(path).read_bytes()) for path in paths if Path(path).is_file()}, ""

    async def push(self, files: Files) -> None:
        for path, file in files.items():
            await self.write(path, file.data, mode=file.mode)

    async def close(self) -> None:
        if self._shell and self._shell.returncode is None:
            os.killpg(self._shell.pid, signal.SIGKILL)
            await self._shell.wait()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"{self.root.parent}/.terminal-".encode() in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)


@contextlib.asynccontextmanager
async def local_box(folder: Path) -> AsyncIterator[LocalBox]:
    """A box whose workdir is `<folder>/app`."""
    (folder / "app").mkdir()
    box = LocalBox(folder / "app")
    try:
        yield box
    finally:
        await box.close()
