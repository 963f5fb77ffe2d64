"""A link to a bash in a container: the engine's multiplexed stream over the socket of an exec or an attach."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

from sandboxes.link import HIGH

_CHUNK = 1 << 16


class StreamLink:
    """Parts the engine's frames: one byte stream (1: output, 2: errors), three of padding, a big-endian length of
    four bytes, then so many bytes (Engine API, "Attach to a container", stream format)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._stream, self._left = 0, 0

    @classmethod
    async def over(cls, plain: socket.socket) -> StreamLink:
        """A link over a connected socket, which is the link's from now on."""
        plain.setblocking(False)
        return cls(*await asyncio.open_connection(sock=plain, limit=HIGH))

    @property
    def alive(self) -> bool:
        """Whether the engine still holds the other end."""
        return not self._reader.at_eof()

    async def send(self, data: bytes) -> None:
        """Hand `data` to the bash's standard input."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except (OSError, RuntimeError) as error:
            raise EOFError from error

    async def receive(self) -> tuple[int, bytes]:
        """The next piece of output and its stream."""
        try:
            while not self._left:
                header = await self._reader.readexactly(8)
                self._stream, self._left = header[0], int.from_bytes(header[4:], "big")
            data = await self._reader.read(min(self._left, _CHUNK))
        except (OSError, asyncio.IncompleteReadError) as error:
            raise EOFError from error
        if not data:
            raise EOFError
        self._left -= len(data)
        return self._stream, data

    async def close(self) -> None:
        """Close the connection; the engine then closes the bash's standard input."""
        given = self._writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            given.shutdown(socket.SHUT_RDWR)  # Closing alone would not do: the SDK may hold the connection too.
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def plain_socket(given: Any) -> socket.socket:
    """What the SDK hands out for a stream, as a plain socket of ours.

    Local and TCP engines: the connection itself. TLS and SSH, whose streams are no plain sockets: one end of a
    pair, with two threads that carry bytes between the pair and the stream until either closes.
    """
    inner = getattr(given, "_sock", given)
    if type(inner) is socket.socket:
        # The SDK's response closes its own descriptor when it is collected; ours stays.
        own = inner.dup()
        given.close()
        return own
    ours, theirs = socket.socketpair()
    for carry in (_upstream, _downstream):
        threading.Thread(target=carry, args=(theirs, given), name="docker-stream", daemon=True).start()
    return ours


def _upstream(pair: socket.socket, stream: Any) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := pair.recv(_CHUNK):
            stream.sendall(data)
    with contextlib.suppress(OSError, EOFError):
        stream.close()


def _downstream(pair: socket.socket, stream: Any) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := stream.recv(_CHUNK):
            pair.sendall(data)
    with contextlib.suppress(OSError):
        pair.shutdown(socket.SHUT_RDWR)
    pair.close()
