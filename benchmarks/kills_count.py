"""Counts the calls that reach a vLLM server, inside it: an ASGI middleware for `--middleware kills_count.Count`.

Appends a line to the file that KILLS_LOG names when a call was read (`r 17`) and when its answer was handed to the
socket (`a 17`); the number is the last word of the question. Runs in vLLM's own environment: plain Python.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Count:
    """Wraps the server's application."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self._app = app
        self._log = os.open(os.environ["KILLS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass one request through."""
        if scope.get("path") != "/v1/chat/completions":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        number = ""

        async def read() -> Message:
            nonlocal number
            message = await receive()
            if message["type"] == "http.request":
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    number = json.loads(body)["messages"][-1]["content"].split()[-1]
                    os.write(self._log, f"r {number}\n".encode())
            return message

        async def written(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                os.write(self._log, f"a {number}\n".encode())

        await self._app(scope, read, written)
