"""A line to a teacher: the chat of one try at one item of a stage."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson

from datafactory.calls.account import Account, price_of
from datafactory.calls.ledger import Call
from datafactory.protocols import Chat, Episode, Teacher
from datafactory.types import Message, Reply


class Line:
    """A chat that belongs to one try at one item; a new try opens a new line.

    With an account, an answer that was paid for before on a line of the same scope comes from the ledger, and a new
    one is on disk before it is handed on. Asking the same twice on one line gives two answers; a new line of the
    same scope gives them again, in their order.
    """

    def __init__(
        self,
        teacher: Teacher,
        connect: Callable[[], Awaitable[Chat]],
        *,
        scope: str,
        recipe: str = "",
        account: Account | None = None,
    ) -> None:
        self.teacher = teacher
        """Who answers: of a mix, the one that was picked."""
        self._connect = connect
        self._chat: Chat | None = None
        self._scope = scope
        self._account = account
        self._root = _digest([recipe, scope])
        self._asked: Counter[bytes] = Counter()
        self._seen: list[tuple[Message, bytes]] = []

    async def reply(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        schema: Mapping[str, Any] | None = None,
        episode: Episode | None = None,
    ) -> Reply:
        """One answer. Raises TeacherError; BudgetSpent where it would cost and nothing more may; StorageError where
        it cannot be kept; DataError for a damaged ledger."""
        if self._account is None:
            chat = await self._open()
            return await _timed(chat, messages, tools=tools, schema=schema, episode=episode)
        key = self._key(messages, tools, schema, episode)
        found = await self._account.find(key)
        if found is not None:
            return found
        async with self._account.place():
            chat = await self._open()
            began = time.monotonic()
            reply = await _timed(chat, messages, tools=tools, schema=schema, episode=episode)
            seconds = time.monotonic() - began
            dollars = price_of(self.teacher).of(reply.usage)
            await self._account.keep(key, Call(self._scope, self.teacher.name, reply, seconds, dollars))
        return reply

    async def _open(self) -> Chat:
        if self._chat is None:
            self._chat = await self._connect()
        return self._chat

    def _key(
        self,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]],
        schema: Mapping[str, Any] | None,
        episode: Episode | None,
    ) -> bytes:
        """Covers everything that shapes the answer, and how often the same was asked on this line before."""
        seed = None if episode is None else episode.seed
        asked = hashlib.sha256(self._root + _digest([list(tools), schema, seed]))
        for digest in self._digests(messages):
            asked.update(digest)
        request = asked.digest()
        number = self._asked[request]
        self._asked[request] += 1
        return hashlib.sha256(request + number.to_bytes(8)).digest()

    def _digests(self, messages: Sequence[Message]) -> list[bytes]:
        """One for each message; those of a history that only grew are not worked out again."""
        for index, message in enumerate(messages):
            if index >= len(self._seen) or self._seen[index][0] is not message:
                self._seen[index:] = [(message, _digest(message.wire()))]
        return [digest for _, digest in self._seen[: len(messages)]]


async def _timed(chat: Chat, messages: Sequence[Message], **more: Any) -> Reply:
    """An answer that says how long it took, so that it says the same when it comes from the ledger."""
    began = time.monotonic()
    reply = await chat.reply(messages, **more)
    return reply if reply.seconds is not None else reply.but(seconds=round(time.monotonic() - began, 4))


def _digest(value: Any) -> bytes:
    """SHA-256 of a JSON value, whatever the order of its keys."""
    try:
        text = orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half a surrogate pair, or a number of more than 64 bits
        text = json.dumps(value, default=_plain, sort_keys=True).encode()
    return hashlib.sha256(text).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"a request must be plain JSON, and holds {type(value).__name__}")
