"""A mock OpenAI server with a fixed latency, that counts what it served and how full it was kept.

Spoken to at `/v1/chat/completions`; `GET /stats` answers with the counts since the last `POST /reset`.
A bare asyncio protocol, so that the engines under test and not the server are what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import Any

WORDS = "the box was opened and the command ran to its end so that the answer could be written down "
ANSWER = {
    "id": "chatcmpl-mock",
    "object": "chat.completion",
    "created": 1_760_000_000,
    "model": "mock",
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": (WORDS * 6).strip()}}
    ],
    "usage": {"prompt_tokens": 60, "completion_tokens": 110, "total_tokens": 170},
}


class Counts:
    """What was served since the last reset, and the area under the curve of calls in flight."""

    def __init__(self) -> None:
        self.served = self.busy = self.most = 0
        self.first = self.last = self._since = 0.0
        self._area = 0.0

    def step(self, change: int) -> None:
        """A call came (+1) or was answered or dropped (-1)."""
        now = time.monotonic()
        if change > 0 and not self.busy and self.served <= 1:  # a lone probe does not start the clock
            self.first = self._since = now
            self._area = 0.0
        self._area += self.busy * (now - self._since)
        self._since = self.last = now
        self.busy += change
        self.most = max(self.most, self.busy)

    def row(self) -> dict[str, Any]:
        """`served, most` (in flight), `mean` (in flight) and `seconds` from the first call to the last answer."""
        seconds = self.last - self.first
        mean = self._area / seconds if seconds else 0.0
        return {"served": self.served, "busy": self.busy, "most": self.most, "mean": mean, "seconds": seconds}


class Connection(asyncio.Protocol):
    """One keep-alive connection; calls on it are answered in turn."""

    latency = 0.2
    counts = Counts()
    answer = json.dumps(ANSWER).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""
        self._open = 0

    def connection_lost(self, exc: Exception | None) -> None:
        for _ in range(self._open):
            self.counts.step(-1)
        self._open = 0

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._handle(head.split(b" ", 2)[1])

    def _handle(self, path: bytes) -> None:
        if path == b"/stats":
            self._write(json.dumps(self.counts.row()).encode())
        elif path == b"/reset":
            Connection.counts = Counts()
            self._write(b"{}")
        else:
            self._open += 1
            self.counts.step(+1)
            self.counts.served += 1
            asyncio.get_running_loop().call_later(self.latency, self._reply)

    def _reply(self) -> None:
        if self._open:
            self._open -= 1
            self.counts.step(-1)
            self._write(self.answer)

    def _write(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)


async def serve(port: int, latency: float) -> None:
    """Serve until killed; the port is printed once it is open."""
    Connection.latency = latency
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds")
    asked = parser.parse_args()
    asyncio.run(serve(asked.port, asked.latency))
