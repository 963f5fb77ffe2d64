"""An append-only JSON Lines file: appends are durable once they return, and are synced to disk in groups."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import orjson

from datafactory.errors import DataError, StorageError
from datafactory.storage.sums import Sums
from datafactory.whole import sync

CHUNK = 1 << 20
"""Bytes read at a time; lines may be longer."""
BREATH = 1 << 16
"""Bytes handed to a reader between two chances for everybody else: some milliseconds of parsing."""


class Journal:
    """One writer, in this process. Opening cuts a torn last line (a crash in mid-write leaves at most one)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut = 0
        """Bytes of a torn last line that opening removed."""
        self._pending: list[tuple[bytes, Callable[[int], None], asyncio.Future[int]]] = []
        self._drain: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._grown = asyncio.Event()
        self._fd: int | None = None
        self._sums = Sums(path)
        self.size = self._recover()
        """Bytes that are safely on disk."""

    def _recover(self) -> int:
        if not self.path.exists():
            return 0
        size = self.path.stat().st_size
        good = _end_of_last_line(self.path, size)
        if good < size:
            self.cut = size - good
            with self.path.open("r+b") as file:
                file.truncate(good)
                os.fsync(file.fileno())
        return good

    async def append(self, line: bytes, placed: Callable[[int], None] = lambda offset: None) -> int:
        """Write one JSON object (no newline in it) and return its offset once it is on disk.

        `placed` is told the offset before any reader sees the line, even where the caller was cancelled
        meanwhile. Raises StorageError where the disk refuses; nothing of the line is left behind then.
        """
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pending.append((line + b"\n", placed, done))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._write_groups())
        return await asyncio.shield(done)

    async def _write_groups(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            group, self._pending = self._pending, []
            try:
                await loop.run_in_executor(self._thread, self._write, [line for line, *_ in group])
            except OSError as error:
                failure = StorageError(f"writing {self.path}: {error.strerror or error}")
                for *_, done in group:
                    done.set_exception(failure)
                continue
            for line, placed, done in group:
                placed(self.size)
                done.set_result(self.size)
                self.size += len(line)
            self._wake()

    def _write(self, group: list[bytes]) -> None:
        if self._fd is None:
            self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            sync(self.path.parent)  # a new file's name is no safer than its folder
        fd = self._fd
        try:
            view = memoryview(b"".join(group))
            while view:
                view = view[os.write(fd, view) :]
            os.fdatasync(fd)
        except OSError:
            os.ftruncate(fd, self.size)
            raise
        self._sums.write(line[:-1] for line in group)

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    async def follow(self, ended: asyncio.Event) -> AsyncIterator[bytes]:
        """Every line from the first, then new ones as they come, until `ended` is set and all are read.

        The file is the queue: a slow reader costs no memory.
        """
        offset = rested = 0
        while True:
            grown, over = self._grown, ended.is_set()
            for line in lines(self.path, offset, self.size):
                offset += len(line) + 1
                yield line
                if offset - rested >= BREATH:
                    rested = offset
                    await asyncio.sleep(0)  # a long shelf whose records are all done must not starve the rest
            if over and offset >= self.size:
                return
            if offset >= self.size:
                await _first(grown.wait(), ended.wait())

    def checked(self) -> Iterator[bytes]:
        """Every line, held against the checksum that it was written with. Raises DataError for one that differs."""
        return self._sums.checked(lines(self.path, 0, self.size))

    def at(self, offset: int) -> bytes:
        """The line that starts at `offset`."""
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.readline().removesuffix(b"\n")

    async def close(self) -> None:
        """Wait for what is being written; the journal cannot be appended to any more."""
        if self._drain is not None:
            await self._drain
        self._thread.shutdown()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        self._sums.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _first(*waits: Any) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _end_of_last_line(path: Path, size: int) -> int:
    """Where the last complete line ends; 0 where there is none."""
    with path.open("rb") as file:
        end = size
        while end > 0:
            start = max(0, end - CHUNK)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
    return 0


def lines(path: Path, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Complete lines between two offsets (the second: the size of the file), without their newline."""
    if end is not None and start >= end:
        return
    with path.open("rb") as file:
        left = (os.fstat(file.fileno()).st_size if end is None else end) - start
        file.seek(start)
        rest = b""
        while left > 0:
            chunk = file.read(min(CHUNK, left))
            if not chunk:
                return
            left -= len(chunk)
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a journal that nobody writes to now; a torn last line is passed over.

    Raises DataError with file and line where a complete line is no JSON object.
    """
    if path.exists():
        yield from objects(path, lines(path))


def objects(path: Path, given: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The lines of a journal as JSON objects; raises as `rows` does."""
    for number, line in enumerate(given, 1):
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise DataError(f"{path}:{number}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise DataError(f"{path}:{number}: not a JSON object")
        yield row
