"""Links to a bash: the protocol, and one over the pipes of a child process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

HIGH = 1 << 20
"""Bytes of unread output at which a link stops reading, so that a chatty process waits instead of filling memory."""


class Link(Protocol):
    """A ``bash --noprofile --norc`` that reads its standard input, with standard output and error apart."""

    async def send(self, data: bytes) -> None:
        """Hand `data` to the bash's standard input; raises EOFError where it is gone."""
        ...

    async def receive(self) -> tuple[int, bytes]:
        """The next piece of output and its stream (1 or 2); raises EOFError once the bash is gone and all is read."""
        ...

    async def close(self) -> None:
        """Let go of it; never raises, may be called twice."""
        ...


class ProcessLink(asyncio.SubprocessProtocol):
    """A link to a child process of this one."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._size = 0
        self._over = False
        self._waiting: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._ended = asyncio.get_running_loop().create_future()
        self._transport: asyncio.SubprocessTransport

    @classmethod
    async def open(
        cls,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str],
        cwd: str | Path = "/",
        prepare: Callable[[], None] | None = None,
        keep: Sequence[int] = (),
    ) -> ProcessLink:
        """Start `argv` in a session of its own. Raises OSError where that cannot be done."""
        loop = asyncio.get_running_loop()
        _, link = await loop.subprocess_exec(
            cls, *argv, env=dict(environment), cwd=cwd, start_new_session=True, preexec_fn=prepare, pass_fds=keep
        )
        for fd in (1, 2):
            # /dev/stdout opens the pipe anew, as whoever the box's user is on this machine.
            pipe = cast(asyncio.BaseTransport, link._transport.get_pipe_transport(fd)).get_extra_info("pipe")
            # A program that is over already has taken its pipes along: whoever speaks to it next will learn so.
            if not pipe.closed:
                os.fchmod(pipe.fileno(), 0o666)
        return link

    @property
    def pid(self) -> int:
        """Of the child, on this machine."""
        return self._transport.get_pid()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio's protocol."""
        self._transport = cast(asyncio.SubprocessTransport, transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Part of asyncio's protocol."""
        self._pieces.append((fd, data))
        self._size += len(data)
        if self._size >= HIGH:
            self._each_pipe("pause_reading")
        self._wake()

    def process_exited(self) -> None:
        """Part of asyncio's protocol. What was written before is still read; a background process that holds the
        pipes does not keep the link alive."""
        asyncio.get_running_loop().call_later(0.05, self._end)
        if not self._ended.done():
            self._ended.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Part of asyncio's protocol."""
        self._end()

    def pause_writing(self) -> None:
        """Part of asyncio's protocol (called by the pipe of standard input)."""
        self._drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Part of asyncio's protocol."""
        if self._drained and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    async def send(self, data: bytes) -> None:
        """Hand `data` to the child's standard input."""
        stdin = cast("asyncio.WriteTransport | None", self._transport.get_pipe_transport(0))
        if self._over or stdin is None or stdin.is_closing():
            raise EOFError
        stdin.write(data)
        if self._drained is not None:
            await self._drained

    async def receive(self) -> tuple[int, bytes]:
        """The next piece of output and its stream."""
        while not self._pieces:
            if self._over:
                raise EOFError
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        fd, data = self._pieces.popleft()
        if self._size >= HIGH > self._size - len(data):
            self._each_pipe("resume_reading")
        self._size -= len(data)
        return fd, data

    def last_words(self) -> str:
        """What the child said that nobody has read, as one line."""
        return b"".join(data for _, data in self._pieces).decode(errors="replace").strip().replace("\n", "; ")

    async def close(self) -> None:
        """Kill the child's process group, and wait for the child's end."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._ended
        self._transport.close()
        self._end()

    def _end(self) -> None:
        self._over = True
        self.resume_writing()
        self._wake()

    def _wake(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    def _each_pipe(self, action: str) -> None:
        for fd in (1, 2):
            pipe = self._transport.get_pipe_transport(fd)
            if pipe is not None and not pipe.is_closing():
                getattr(pipe, action)()
