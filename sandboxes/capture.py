"""What a link carries: output on both streams, kept up to a limit, and the marks that the keeper puts between."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """A word of the keeper's in the stream: what it is about, and on stdout a status and a folder."""

    name: str
    status: int = 0
    folder: str = ""


class Stream:
    """Parts one stream into output and marks. A mark is ``NUL token-name [status folder] NUL``."""

    def __init__(self, token: str) -> None:
        self._start = b"\0" + token.encode() + b"-"
        self._held = b""

    def feed(self, chunk: bytes) -> list[bytes | Mark]:
        """The pieces that `chunk` completes, in order; what may be the beginning of a mark is held back."""
        data, pieces = self._held + chunk, list[bytes | Mark]()
        while (at := data.find(self._start)) >= 0:
            if at:
                pieces.append(data[:at])
            end = data.find(b"\0", at + len(self._start))
            if end < 0:
                self._held = data[at:]
                return pieces
            name, _, rest = data[at + len(self._start) : end].partition(b" ")
            status, _, folder = rest.partition(b" ")
            pieces.append(Mark(name.decode(), int(status or b"0"), folder.decode(errors="surrogateescape")))
            data = data[end + 1 :]
        cut = data.rfind(b"\0", max(0, len(data) - len(self._start) + 1))
        if cut < 0 or not self._start.startswith(data[cut:]):
            cut = len(data)
        self._held = data[cut:]
        if cut:
            pieces.append(data[:cut])
        return pieces


class Kept:
    """The first and the last half of a `limit` of bytes."""

    def __init__(self, limit: int) -> None:
        self._head, self._tail = bytearray(), bytearray()
        self._first, self._last = limit // 2, limit - limit // 2
        self.seen = 0

    def add(self, data: bytes) -> None:
        """Take in what comes next."""
        self.seen += len(data)
        room = self._first - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > 2 * self._last:
            del self._tail[: -self._last or None]

    def content(self) -> bytes:
        """Both halves, joined."""
        tail = self._tail[-self._last :] if self._last else b""
        return bytes(self._head) + bytes(tail)
