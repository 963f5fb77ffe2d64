"""One chat-completions server: its connections, the gate before it, and a call that goes on until it is answered."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import time
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

import aiohttp
import orjson

from datafactory.errors import ConfigError, TeacherError
from datafactory.teachers import openai_refusal, openai_wire
from datafactory.teachers.gate import Gate
from datafactory.teachers.openai_refusal import Again
from datafactory.types import Message, Reply

_LONGEST_PAUSE = 30.0
"""Seconds before another try at most, where the server did not ask for a longer one."""
_PATIENT = 10
"""Times `tries` from which on refusals count even while others are answered."""
_SECRET = 8
"""Characters from which on a key is one: servers that want none are given words such as `none`."""
_LISTING = aiohttp.ClientTimeout(total=10.0)
_KEPT = {"http": 4.0, "https": 60.0}
"""Seconds that an idle connection is kept: uvicorn (vLLM, SGLang) closes one after 5, and a call that is sent right
then is lost; a connection over TLS is dearer, and is kept longer at both ends."""


class Endpoint:
    """Safe for any number of calls at the same time; what is too many waits at the gate."""

    def __init__(
        self, address: str, client: aiohttp.ClientSession, gate: Gate, *, model: str, tries: int = 6, key: str = ""
    ) -> None:
        self.address = address
        """Up to and with `/v1`."""
        self.gate = gate
        self.answers = 0
        """How often it answered."""
        self.was_there = False
        """Whether a server is known to have listened here: before that, a wrong address is as likely as one that is
        gone."""
        self._client = client
        self._url = f"{address}/chat/completions"
        self._model = model
        self._tries = tries
        self._secrets = [word for word in (key, urlsplit(address).password or "") if len(word) >= _SECRET]
        self._listed: dict[str, int | None] | None = None
        self._listing = asyncio.Lock()

    async def send(self, data: bytes, *, order: int, headers: Mapping[str, str] | None = None) -> Reply:
        """The answer to one request. A server that refuses, breaks or is gone is asked again, through the gate and at
        the same order, `tries` times in all; refusals while it answers others count for nothing, within reason.

        A full context gives an empty reply with `finish="context"`, and what the server's filter holds back one with
        `filtered`. Raises ConfigError for what holds for every call (key, credit, model, address), else TeacherError.
        """
        failed = 0
        for number in itertools.count(1):
            await self.gate.enter(order)
            before, ok = self.answers, False
            try:
                reply = await self._once(data, headers)
                ok = True
                break
            except Again as fault:
                if fault.busy:
                    self.gate.refused(fault.after)
                last = fault
            finally:
                self.gate.leave(ok=ok)
            # Refused while others are answered: the gate was a place too wide, which is not this call's bad luck.
            failed += not last.busy or self.answers == before or number > _PATIENT * self._tries
            if failed >= self._tries:
                self._give_up(last, number)
            if not (last.busy and last.after):  # else the gate is closed for as long
                await asyncio.sleep(random.uniform(0.5, 1.0) * min(_LONGEST_PAUSE, 2.0 ** max(0, failed - 1)))
        self.answers += 1
        self.was_there = True
        return await self._told_apart(reply) if reply.finish == "length" else reply

    async def models(self) -> dict[str, int | None]:
        """The models that the server lists, and the length of each one's context in tokens where it says so (vLLM,
        SGLang); empty where it does not list any."""
        listed: dict[str, int | None] = {}
        with contextlib.suppress(aiohttp.ClientError, OSError, ValueError, KeyError, TypeError, AttributeError):
            async with self._client.get(f"{self.address}/models", timeout=_LISTING) as response:
                for model in orjson.loads(await response.read())["data"]:
                    length = model.get("max_model_len")
                    listed[str(model["id"])] = length if isinstance(length, int) and length > 0 else None
        return listed

    async def _told_apart(self, reply: Reply) -> Reply:
        """Whether an answer was cut at `max_tokens`, as servers say, or because the context was full."""
        async with self._listing:
            if self._listed is None:
                self._listed = await self.models()
        only = next(iter(self._listed.values())) if len(self._listed) == 1 else None
        context = self._listed.get(self._model, only)
        used = reply.usage.prompt_tokens + reply.usage.completion_tokens
        return reply.but(finish="context") if context and used >= context else reply

    async def _once(self, data: bytes, headers: Mapping[str, str] | None) -> Reply:
        """One try. What it raises goes on file, so a key that a server or an address spells out is blotted out."""
        began = time.monotonic()
        try:
            reply = await self._try(data, headers)
        except TeacherError as error:
            error.args = (self._blotted(str(error)),)
            raise
        return reply.but(seconds=round(time.monotonic() - began, 4))

    async def _try(self, data: bytes, headers: Mapping[str, str] | None) -> Reply:
        try:
            async with self._client.post(self._url, data=data, headers=headers) as response:
                answer = await response.read()
                status, said = response.status, response.headers
        except (aiohttp.ClientError, OSError) as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
            gone = isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL)
            raise Again(f"{self._url}: {reason}", unreachable=gone) from error
        if status != 200:
            return await self._refused(status, answer.decode(errors="replace"), said)
        try:
            decoded = openai_wire.decoded(answer)
        except ValueError as error:
            raise Again(f"the server's answer is no JSON: {answer[:300]!r}") from error
        if isinstance(decoded, dict) and decoded.get("error"):
            # Some gateways send an upstream failure as status 200, with the status inside.
            code = _code(decoded["error"])
            return await self._refused(code, str(decoded["error"]), said)
        return openai_wire.reply(decoded)

    async def _refused(self, status: int, text: str, headers: Mapping[str, str]) -> Reply:
        """The reply that a refusal amounts to. Raises what else it means."""
        if openai_refusal.held_back(status, text):
            return Reply(message=Message(role="assistant"), finish="filtered", model=self._model)
        problem = f"{self._url}: HTTP {status}: {text[:500].strip() or '(empty body)'}"
        match openai_refusal.mistake(status, text, self._model):
            case "key":
                raise self._mistake(f"{problem}; is OPENAI_API_KEY set, valid, and allowed to use the model?")
            case "credit":
                raise self._mistake(f"{problem}; the account behind OPENAI_API_KEY has no credit left")
            case "model":
                raise self._mistake(f"the server has no model {self._model!r}; {_listing(await self.models())}")
            case "address" if not self.answers:
                raise self._mistake(f"{problem}; is the address right, up to and with /v1?")
            case "address":
                raise Again(problem)  # it answered before: something between us and the server is being changed
            case "room":
                raise self._mistake(f"{problem}; no conversation leaves room for as many `max_tokens`: ask for fewer")
        if openai_refusal.context_full(status, text):
            return Reply(message=Message(role="assistant"), finish="context", model=self._model)
        if openai_refusal.again(status, text):
            busy = status in openai_refusal.BUSY
            raise Again(problem, busy=busy, after=openai_refusal.asked_to_wait(headers))
        fault = TeacherError(problem)
        fault.final = True
        raise fault

    def _give_up(self, last: Again, number: int) -> NoReturn:
        said = f"{last} (tried {number} times)"
        if last.unreachable and not self.was_there:
            raise self._mistake(f"nothing answers: {said}; is the server up, and the address right?")
        raise TeacherError(said) from last

    def _mistake(self, problem: str) -> ConfigError:
        return ConfigError(self._blotted(problem))

    def _blotted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


@asynccontextmanager
async def endpoint(
    address: str, *, model: str, gate: Gate, timeout: float = 600.0, tries: int = 6, key: str | None = None
) -> AsyncIterator[Endpoint]:
    """A server at `address` (up to and with `/v1`), and its connections. `timeout`: seconds until an answer's first
    byte, once a call is sent; `key`: sent with each call (None: from OPENAI_API_KEY)."""
    key = os.environ.get("OPENAI_API_KEY", "").strip() if key is None else key
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    parts = urlsplit(address)
    client = aiohttp.ClientSession(
        # No limit of its own: a call that has passed the gate waits for nothing more.
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT[parts.scheme], ttl_dns_cache=300),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=30.0, sock_read=timeout),
        headers=headers,
        proxy=_proxy(parts.scheme, parts.hostname or ""),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    try:
        yield Endpoint(address, client, gate, model=model, tries=tries, key=key)
    finally:
        await client.close()
        # Lets the connections' closing callbacks run before the loop may end.
        await asyncio.sleep(0)


def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for this address, looked up once rather than at every call; none for the
    loopback, which is another machine's from where a proxy stands."""
    if on_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(scheme)


def on_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    return host in ("localhost", "::1") or host.startswith("127.")


def _code(error: Any) -> int:
    """The status that an error in a body stands for; 500: it does not say."""
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def _listing(models: Mapping[str, int | None]) -> str:
    """What the server says that it serves, as the end of a sentence."""
    if not models:
        return "it does not say which it has"
    return f"it has {', '.join(sorted(models)[:20])}" + (" and more" if len(models) > 20 else "")
