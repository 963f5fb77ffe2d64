"""The durable record of every answer that was paid for."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_json

from datafactory.calls.database import broken, connect, looking, readable
from datafactory.calls.spending import Spending, Spent, spending
from datafactory.errors import FactoryError, StorageError, boundary
from datafactory.types import Reply

LEVEL = 1
"""Of compression: chats shrink to about a third at any level, and the first is the quickest."""


@dataclass(frozen=True, slots=True)
class Call:
    """An answer that was paid for."""

    scope: str
    """The line that it was asked on: `<stage>:<try at an item>`."""
    teacher: str
    reply: Reply
    seconds: float = 0.0
    """From asking to the whole answer."""
    dollars: float = 0.0

    @property
    def stage(self) -> str:
        """The stage that asked."""
        return self.scope.partition(":")[0]

    @property
    def spent(self) -> Spent:
        """What it cost."""
        return Spent.of(self.reply.usage, seconds=self.seconds, dollars=self.dollars)


@dataclass(frozen=True, slots=True)
class Holding:
    """A teacher's hold on GPUs, from one opening to its close."""

    id: str
    teacher: str
    gpus: int
    seconds: float
    """So far."""
    dollars: float
    began: str
    """When, in ISO 8601."""


_Entry = tuple[bytes, Call] | Holding


class Ledger:
    """One writer, in this process. What is kept is on disk when `keep` returns; callers share their syncs.

    The file is made by the first answer; memory does not grow with it, and opening takes the same time whatever it
    holds. Raises DataError where the file is no ledger.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending: list[tuple[_Entry, asyncio.Future[None]]] = []
        self._drain: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        with looking(path) as found:
            there = found is not None
        if there:
            self._reader = connect(path)

    def spending(self) -> Spending:
        """The sums of what is on disk."""
        return spending(self.path)

    async def find(self, key: bytes) -> Reply | None:
        """The answer that was kept under `key`; None: there is none. Raises DataError."""
        if self._reader is None:
            return None
        with readable(self.path):
            row = self._reader.execute("SELECT reply FROM calls WHERE key = ?", (key,)).fetchone()
        return None if row is None else self._restored(row[0])

    def knows(self, scope: str) -> bool:
        """Whether anything was kept of a line of this scope. Raises DataError."""
        if self._reader is None:
            return False
        with readable(self.path):
            return self._reader.execute("SELECT 1 FROM calls WHERE scope = ? LIMIT 1", (scope,)).fetchone() is not None

    async def keep(self, key: bytes, call: Call) -> None:
        """Put an answer down; it is on disk when this returns, and gets there even where the caller is cancelled.

        A second answer under one key is counted, and the first one stays. Raises StorageError, DataError.
        """
        await self._put((key, call))

    async def hold(self, holding: Holding) -> None:
        """Put down, or bring up to date, that a teacher holds GPUs. Raises StorageError, DataError."""
        await self._put(holding)

    async def _put(self, entry: _Entry) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((entry, done))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._write_groups())
        await asyncio.shield(done)

    async def _write_groups(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            group, self._pending = self._pending, []
            failure: FactoryError | None = None
            try:
                with boundary(StorageError, f"writing {self.path}"):  # who waits must hear of a mistake of ours, too
                    await loop.run_in_executor(self._thread, self._write, [entry for entry, _ in group])
                    self._reader = self._reader or connect(self.path)
            except FactoryError as error:
                failure = error
            for _, done in group:
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(failure)

    def _write(self, entries: Sequence[_Entry]) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        calls = [(key, call, call.spent) for key, call in (e for e in entries if not isinstance(e, Holding))]
        rows = [(key, *_names(call), *_sums(spent), at, _packed(call.reply)) for key, call, spent in calls]
        added: dict[tuple[str, str, str], Spent] = {}
        for _, call, spent in calls:
            added[_group(call)] = added.get(_group(call), Spent()) + spent
        held = [(e.id, e.teacher, e.gpus, e.seconds, e.dollars, e.began) for e in entries if isinstance(e, Holding)]
        with readable(self.path):
            writer = self._writer = self._writer or connect(self.path)
            writer.execute("BEGIN IMMEDIATE")
            try:
                writer.executemany(f"INSERT INTO calls VALUES ({', '.join('?' * 12)}) ON CONFLICT DO NOTHING", rows)
                writer.executemany(_ADD, [(*group, spent.calls, *_sums(spent)) for group, spent in added.items()])
                writer.executemany(_HOLD, held)
                writer.execute("COMMIT")
            except BaseException:
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                raise

    def _restored(self, packed: bytes) -> Reply:
        try:
            text = zlib.decompress(packed)
            try:
                return Reply.model_validate_json(text)
            except ValidationError:
                return Reply.model_validate(json.loads(text))  # half a surrogate pair is no JSON to pydantic
        except (zlib.error, TypeError, ValueError) as error:
            raise broken(self.path, f"an answer in it is damaged: {str(error).splitlines()[0]}") from error

    async def close(self) -> None:
        """Wait for what is being written; nothing can be kept any more."""
        if self._drain is not None:
            await self._drain
        self._thread.shutdown()
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


_ADD = """
INSERT INTO spent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    calls = calls + excluded.calls, prompt_tokens = prompt_tokens + excluded.prompt_tokens,
    cached_tokens = cached_tokens + excluded.cached_tokens,
    completion_tokens = completion_tokens + excluded.completion_tokens,
    seconds = seconds + excluded.seconds, dollars = dollars + excluded.dollars
"""
_HOLD = """
INSERT INTO gpus VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET seconds = excluded.seconds, dollars = excluded.dollars
"""


def _group(call: Call) -> tuple[str, str, str]:
    return _text(call.stage), _text(call.teacher), _text(call.reply.model)


def _names(call: Call) -> tuple[str, str, str, str]:
    stage, teacher, model = _group(call)
    return stage, _text(call.scope), teacher, model


def _text(name: str) -> str:
    """A name as SQLite can hold it: half of a surrogate pair becomes U+FFFD."""
    return name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _sums(spent: Spent) -> tuple[int, int, int, float, float]:
    return spent.prompt_tokens, spent.cached_tokens, spent.completion_tokens, spent.seconds, spent.dollars


def _packed(reply: Reply) -> bytes:
    """The reply as compressed JSON from which the very same one is restored."""
    row = reply.model_dump()
    try:
        text = to_json(row, inf_nan_mode="constants")  # an impossible token's log-probability is -Infinity
    except PydanticSerializationError:
        text = json.dumps(row).encode()
    return zlib.compress(text, LEVEL)
