"""A server of vLLM's shape around a real model, for tests: it lists, spells and scores."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import web


class Scoring:
    """Its model is called `wise`."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.model = AutoModelForCausalLM.from_pretrained(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.context = 256
        self.refusals: list[int] = []
        """Statuses that the next completions are refused with."""
        self.scored = 0
        self.address = ""

    async def models(self, request: web.Request) -> web.Response:
        """What is served, and how much it reads."""
        return web.json_response({"data": [{"id": "wise", "max_model_len": self.context}]})

    async def detokenize(self, request: web.Request) -> web.Response:
        """The text of tokens."""
        return web.json_response({"prompt": self.tokenizer.decode((await request.json())["tokens"])})

    async def completions(self, request: web.Request) -> web.Response:
        """Of each token of the prompt but the first, its log-probability under its number."""
        import torch

        if self.refusals:
            return web.Response(status=self.refusals.pop(0), text="no room")
        asked = await request.json()
        assert (asked["model"], asked["prompt_logprobs"]) == ("wise", 0)
        with torch.no_grad():
            scores = self.model(input_ids=torch.tensor([asked["prompt"]])).logits[0].log_softmax(-1)
        said = enumerate(asked["prompt"][1:])
        told = [{str(token): {"logprob": float(scores[at, token]), "rank": 1}} for at, token in said]
        self.scored += 1
        return web.json_response({"choices": [{"index": 0, "prompt_logprobs": [None, *told]}]})

    @contextmanager
    def up(self) -> Iterator[Scoring]:
        """Serving, in a thread of its own."""
        loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

        async def serve() -> None:
            app = web.Application()
            app.router.add_get("/v1/models", self.models)
            app.router.add_post("/v1/completions", self.completions)
            app.router.add_post("/detokenize", self.detokenize)
            runner = web.AppRunner(app)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.address = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
            ready.set()
            await over.wait()
            await runner.cleanup()

        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
        thread.start()
        try:
            assert ready.wait(10)
            yield self
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join()
            loop.close()
