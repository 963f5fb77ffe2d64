"""One container as a box: its first process carries files, and a shell beside it runs the commands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from datafactory.errors import SandboxError
from datafactory.protocols import ExecResult
from datafactory.types import File, Files
from sandboxes.courier import Courier
from sandboxes.docker_engine import Engine
from sandboxes.docker_link import StreamLink, plain_socket
from sandboxes.shell import Shell

BASH = ("bash", "--noprofile", "--norc")

_EVERYTHING = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
_OVER_DISK = b"box: the limit of %d bytes of disk is exceeded; its processes were killed\n"


class DockerBox:
    """A container that has started. Process 1 is a bash which nothing inside can kill, and which reaps zombies; it
    obeys the courier, on the stream of its standard input. Commands run in a second bash, an exec."""

    def __init__(self, engine: Engine, container: str, *, user: str, workdir: str, output_limit: int) -> None:
        self.container = container
        self._engine = engine
        self._user = user
        self._workdir = workdir
        self._shell = Shell(self._connect, workdir=workdir, output_limit=output_limit)
        self._links: list[StreamLink] = []
        self._courier: Courier | None = None
        self._over_disk: int | None = None

    async def prepare(self) -> None:
        """Connect, and make the workdir: after this the box only waits for its files. Raises SandboxError."""
        api = self._engine.api
        given = await self._engine.steadily(
            "attaching to a container", api.attach_socket, self.container, params=_EVERYTHING
        )
        link = await StreamLink.over(plain_socket(given))
        self._links.append(link)
        courier = Courier(link)
        await courier.greet(self._user)
        await courier.make_folder(self._workdir)
        await self._shell.open()
        self._courier = courier

    @property
    def alive(self) -> bool:
        """Whether process 1 still runs, as far as is known without asking."""
        return all(link.alive for link in self._links)

    async def exec(self, command: str | Sequence[str], *, timeout: float = 30.0) -> ExecResult:
        """See `Box.exec`."""
        result = await self._shell.run(command, timeout=timeout)
        if self._over_disk is None:
            return result
        note, self._over_disk = _OVER_DISK % self._over_disk, None
        return ExecResult(result.exit_code, result.stdout, result.stderr + note, result.timed_out, result.dropped)

    async def read(self, path: str) -> bytes | None:
        """See `Box.read`; larger than 64 MiB, or unreadable to the box's user: None."""
        return await self._carrier.read(path)

    async def write(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """See `Box.write`."""
        await self._carrier.put({path: File(data=data, mode=mode)})

    async def pull(self, paths: Sequence[str], *, limit: int = 16 << 20) -> tuple[Files, str]:
        """See `Box.pull`."""
        return await self._carrier.take(paths, limit=limit)

    async def push(self, files: Files) -> None:
        """See `Box.push`."""
        await self._carrier.put(files)

    async def evict(self, limit: int) -> None:
        """Kill all that runs in the box, because it wrote more than `limit` bytes; the command that runs gets 137."""
        self._over_disk = limit
        await self._carrier.kill_all()

    async def close(self) -> None:
        """Let go of the streams; the container is the host's to remove."""
        await self._shell.close()
        await asyncio.gather(*(link.close() for link in self._links))

    @property
    def _carrier(self) -> Courier:
        if self._courier is None:
            raise SandboxError("the box is not ready")
        return self._courier

    async def _connect(self) -> StreamLink:
        if self._courier is not None:
            await self._courier.make_room()
        given = await self._engine.steadily("opening a shell", self._exec)
        return await StreamLink.over(plain_socket(given))

    def _exec(self) -> Any:
        api = self._engine.api
        made = api.exec_create(self.container, list(BASH), stdin=True, stdout=True, stderr=True, user=self._user)
        return api.exec_start(made["Id"], socket=True)
