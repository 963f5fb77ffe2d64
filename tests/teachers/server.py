"""A chat-completions server on the loopback, for tests and for measuring: it answers as it is told."""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


def completion(content: str | None = "hello", **more: Any) -> dict[str, Any]:
    """The body of an answer; `more` goes into its message, but `finish_reason`, `usage` and `model`."""
    outer = {key: more.pop(key) for key in ("usage", "model") if key in more}
    finish = more.pop("finish_reason", "stop")
    message = {"role": "assistant", "content": content, **more}
    return {"id": "x", "model": "served-model", "choices": [{"message": message, "finish_reason": finish}], **outer}


class Server:
    """Answers with what `answer` gives, now or later, for the number of the call: a body, a response of its own, or
    None, which breaks the connection."""

    def __init__(self, answer: Callable[[int], Any]) -> None:
        self.answer = answer
        self.bodies: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.listing: Any = {"data": [{"id": "served-model"}, {"id": "other-model"}]}
        self.headers: list[dict[str, str]] = []
        self.url = ""

    async def chat(self, request: web.Request) -> web.StreamResponse:
        self.raw.append(await request.read())
        self.bodies.append(json.loads(self.raw[-1]))
        self.headers.append(dict(request.headers))
        answer = self.answer(len(self.bodies) - 1)
        if inspect.isawaitable(answer):
            answer = await answer
        if answer is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response(self.listing)


@asynccontextmanager
async def serving(answer: Callable[[int], Any]) -> AsyncIterator[Server]:
    """A server on a free port."""
    server = Server(answer)
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.chat)
    app.router.add_get("/v1/models", server.models)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


async def _slow(latency: float) -> None:
    """Serve for ever, each answer after `latency` seconds; prints the address."""
    body = json.dumps(completion(usage={"prompt_tokens": 9, "completion_tokens": 2})).encode()

    async def chat(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(latency)
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_slow(float(sys.argv[1])))
