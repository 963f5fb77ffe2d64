"""A live connection to a chat-completions server: one call, sent again where the server was busy or gone."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import os
import time
import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import orjson
import tenacity

from datafactory.errors import TeacherError
from datafactory.protocols import Episode
from datafactory.teachers import openai_wire
from datafactory.types import Message, Reply

if TYPE_CHECKING:
    from datafactory.teachers.openai import OpenAITeacher

_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_LONGEST_WAIT = 120.0
"""Seconds between two tries at most, whatever Retry-After asks for."""
_SECRET = 8
"""Characters from which on a key is one: servers that want none are given words such as `none`."""
_BACKOFF = tenacity.wait_random_exponential(multiplier=1.0, max=30.0)


class _Busy(TeacherError):
    """Worth another try; `after`: seconds that the server asked for."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class OpenAIChat:
    """Safe for any number of calls at the same time."""

    def __init__(self, spec: OpenAITeacher, client: aiohttp.ClientSession) -> None:
        self._spec = spec
        self._client = client
        self._url = f"{spec.address()}/chat/completions"
        secrets = (_key(), urlsplit(self._url).password or "")
        self._secrets = [secret for secret in secrets if len(secret) >= _SECRET]

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """One answer. A conversation that no longer fits into the model's context gives an empty reply with
        `finish="length"`; anything else that the server refuses raises TeacherError."""
        data = openai_wire.body(self._spec, messages, tools, schema, episode)
        header = self._spec.session_header
        headers = {header: episode.id} if header and episode is not None else None
        try:
            return await self._once(data, headers)
        except _Busy as busy:
            first = busy
        return await self._persist(first, data, headers)

    async def _persist(self, first: _Busy, data: bytes, headers: dict[str, str] | None) -> Reply:
        """The tries after a first one that failed."""
        due: _Busy | None = first

        async def again() -> Reply:
            nonlocal due
            if due is not None:
                raised, due = due, None
                raise raised
            return await self._once(data, headers)

        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self._spec.tries),
            wait=_wait,
            retry=tenacity.retry_if_exception_type(_Busy),
            reraise=True,
        )
        try:
            return await retrying(again)
        except _Busy as busy:
            raise TeacherError(f"{busy} (tried {self._spec.tries} times)") from busy

    async def _once(self, data: bytes, headers: dict[str, str] | None) -> Reply:
        """One try. What it raises goes on file, so a key that a server or an address spells out is blotted out."""
        try:
            return await self._send(data, headers)
        except TeacherError as error:
            said = str(error)
            for secret in self._secrets:
                said = said.replace(secret, "***")
            error.args = (said,)
            raise

    async def _send(self, data: bytes, headers: dict[str, str] | None) -> Reply:
        try:
            async with self._client.post(self._url, data=data, headers=headers) as response:
                answer = await response.read()
                status, said = response.status, response.headers
        except (aiohttp.ClientError, OSError) as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
            raise _Busy(f"{self._url}: {reason}") from error
        if status == 200:
            return _understood(answer)
        text = answer.decode(errors="replace")
        if openai_wire.context_full(status, text):
            return Reply(message=Message(role="assistant"), finish="length", model=self._spec.model)
        problem = f"{self._url}: HTTP {status}: {text[:500].strip() or '(empty body)'}"
        if status in _AGAIN:
            raise _Busy(problem, _after(said.get("Retry-After")))
        if status in (401, 403):
            problem += "; is OPENAI_API_KEY set and valid?"
        elif openai_wire.unknown_model(status, text, self._spec.model):
            problem = f"the server has no model {self._spec.model!r}; {await self._models()}"
        raise TeacherError(problem)

    async def _models(self) -> str:
        """What the server says that it serves, as the end of a sentence."""
        with contextlib.suppress(aiohttp.ClientError, OSError, ValueError, KeyError, TypeError):
            async with self._client.get(f"{self._spec.address()}/models") as response:
                listed = [str(model["id"]) for model in orjson.loads(await response.read())["data"]]
            return f"it has {', '.join(sorted(listed)[:20])}" + (" and more" if len(listed) > 20 else "")
        return "it does not say which it has"


def _understood(answer: bytes) -> Reply:
    try:
        decoded = openai_wire.decoded(answer)
    except ValueError as error:
        raise _Busy(f"the server's answer is no JSON: {answer[:300]!r}") from error
    if isinstance(decoded, dict) and decoded.get("error"):
        # Some gateways send an upstream failure as status 200.
        raise _Busy(f"the server answered with an error: {str(decoded['error'])[:500]}")
    return openai_wire.reply(decoded)


def _wait(state: tenacity.RetryCallState) -> float:
    """Seconds until the next try: what the server asks for, or a growing, jittered pause, whichever is longer."""
    raised = state.outcome.exception() if state.outcome else None
    asked = raised.after if isinstance(raised, _Busy) else 0.0
    return min(_LONGEST_WAIT, max(asked, _BACKOFF(state)))


def _after(header: str | None) -> float:
    """Seconds of a Retry-After header, which holds seconds or a date; 0.0: none, or unreadable."""
    if not header:
        return 0.0
    with contextlib.suppress(ValueError):
        return max(0.0, float(header))
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    return 0.0


@asynccontextmanager
async def session(spec: OpenAITeacher) -> AsyncIterator[aiohttp.ClientSession]:
    """The pool of connections: kept alive, at most `spec.at_once`, the key in each call's header."""
    headers = {"Content-Type": "application/json"}
    if key := _key():
        headers["Authorization"] = f"Bearer {key}"
    client = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=spec.at_once, keepalive_timeout=60.0, ttl_dns_cache=300),
        # Waiting for a free connection is not the server's slowness: only what the server does is on the clock.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=30.0, sock_read=spec.timeout),
        headers=headers,
        proxy=_proxy(spec.address()),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    try:
        yield client
    finally:
        await client.close()
        # Lets the connections' closing callbacks run before the loop may end.
        await asyncio.sleep(0)


def _key() -> str:
    return os.environ.get("OPENAI_API_KEY", "").strip()


def _proxy(address: str) -> str | None:
    """The proxy that the environment names for this address, looked up once rather than at every call."""
    parts = urlsplit(address)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return urllib.request.getproxies().get(parts.scheme)
