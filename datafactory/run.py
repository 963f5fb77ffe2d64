"""The run engine: `Run.each` is the only concurrency, the only failure handler, resume and the fuse."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from datafactory.calls import Account
from datafactory.errors import BoundaryError, BudgetSpent, FuseBlown, RunError, StorageError
from datafactory.spec import Spec
from datafactory.storage import Shelf
from datafactory.types import Failure, Record, Reject

Item = TypeVar("Item")
Live = TypeVar("Live")
R = TypeVar("R", bound=Record)
R2 = TypeVar("R2", bound=Record)

TRIES = 3
"""How often an item is tried before it is written down as lost."""
PAUSE = 0.5
"""Seconds before the second try; doubled for each further one, with jitter."""
FUSE = 20
"""Finished items from which on failures may not outnumber successes."""


@dataclass
class Progress:
    """What a stage has done in this process; read by whoever draws it, written by `Run.each` alone."""

    total: int | None = None
    """Items in all, where that is known."""
    skipped: int = 0
    """Items that were done before this process began."""
    finished: int = 0
    """Items that were kept or rejected in this process."""
    failed: int = 0
    unpaid: int = 0
    """Items that were put off since the budget is spent."""
    busy: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    """Failures by boundary."""
    last_errors: dict[str, str] = field(default_factory=dict)
    """What the last failure of each boundary said, in a line."""
    started: float | None = None
    ended: float | None = None

    @property
    def rate(self) -> float:
        """Items finished a second in this process."""
        if self.started is None:
            return 0.0
        return self.finished / max((self.ended or time.monotonic()) - self.started, 1e-9)


class Commons:
    """What the stages of one run share: live sandboxes and teachers, opened once for each recipe."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._open: list[_Opened] = []

    async def get(self, spec: Spec, opening: Callable[[], AbstractAsyncContextManager[Live]]) -> Live:
        """The live thing of `spec`, opened at the first request.

        Equal in every field: an address or a pool's size, which leave the data alone, make two live things too.
        """
        opened = next((entry for entry in self._open if entry.spec == spec), None)
        if opened is None:
            own = AsyncExitStack()
            self._stack.push_async_callback(own.aclose)
            opened = _Opened(spec, asyncio.ensure_future(own.enter_async_context(opening())), own)
            self._open.append(opened)
        try:
            live: Live = await asyncio.shield(opened.live)
        except BaseException:
            if opened.live.done() and (opened.live.cancelled() or opened.live.exception()):
                self._open = [entry for entry in self._open if entry is not opened]  # the next request tries again
            raise
        return live

    async def close(self, which: Callable[[Spec], bool]) -> None:
        """Close some of it before the run's end; whoever asks again has it opened anew."""
        closing = [entry for entry in reversed(self._open) if which(entry.spec)]
        self._open = [entry for entry in self._open if entry not in closing]
        for entry in closing:
            await entry.cancelled()
            await entry.own.aclose()

    async def __aenter__(self) -> Commons:
        return self

    async def __aexit__(self, *error: Any) -> None:
        # What is half open must not come up after everything was closed.
        await asyncio.gather(*(entry.cancelled() for entry in self._open))
        await self._stack.aclose()


@dataclass(frozen=True, eq=False)
class _Opened:
    spec: Spec
    live: asyncio.Future[Any]
    own: AsyncExitStack

    async def cancelled(self) -> None:
        """Stop the opening, where it is still under way."""
        self.live.cancel()
        await asyncio.gather(self.live, return_exceptions=True)


class Run(Generic[R]):
    """One stage's part of a run: its shelf, its seed, and the way to work through items."""

    def __init__(
        self,
        shelf: Shelf[R],
        *,
        name: str = "",
        seed: int = 0,
        digest: str = "",
        commons: Commons | None = None,
        account: Account | None = None,
        shelves: Iterable[Shelf[Any]] = (),
        tries: int = TRIES,
        pause: float = PAUSE,
    ) -> None:
        self.shelf = shelf
        self.name = name
        self.seed = seed
        self.digest = digest
        """Digest of the pipeline up to this stage."""
        self.commons = commons or Commons()
        self.account = account
        """What the run has spent on teachers; None: nothing is kept or counted."""
        self.progress = Progress()
        self._shelves = tuple(shelves)
        self._tries = tries
        self._pause = pause
        self._spent: BudgetSpent | None = None

    def find(self, kind: type[Item], key: str) -> Item:
        """The record of a stage before this one. Raises RunError where no stage before makes that kind."""
        for shelf in reversed(self._shelves):
            if shelf.kind is kind and shelf.has(key):
                found: Item = shelf.get(key)
                return found
        raise RunError(f"no stage before this one made the {kind.__name__} {key!r}")

    def before(self, kind: type[R2]) -> Shelf[R2] | None:
        """The last shelf of that kind before this stage's; None: there is none."""
        return next((shelf for shelf in reversed(self._shelves) if shelf.kind is kind), None)

    async def emit(self, key: str, record: R) -> None:
        """Put one record on this stage's shelf; it is on disk when this returns."""
        await self.shelf.keep(key, record)

    async def each(
        self,
        items: Iterable[tuple[str, Item]] | AsyncIterable[tuple[str, Item]],
        work: Callable[[str, Item], Awaitable[R | Reject]],
        *,
        at_once: int,
    ) -> None:
        """Work through keyed items, `at_once` at a time, and put every result on the shelf.

        An item whose key is on the shelf is passed over: a run that was killed goes on, and pays again
        for nothing but what was in flight. A BoundaryError is retried (unless it is final) and then written
        to `failures.jsonl`; anything else is a mistake in the work and ends the run. Raises FuseBlown when
        failures outnumber successes past the first 20, RunError where two items have one key, and
        StorageError where a result cannot be written.
        """
        self.progress.started = self.progress.started or time.monotonic()
        source = _Source(items)
        workers = [asyncio.create_task(self._worker(source, work)) for _ in range(max(1, at_once))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await source.close()
            self.progress.ended = time.monotonic()
        if self._spent is not None:
            raise self._spent

    async def _worker(self, source: _Source[Item], work: Callable[[str, Item], Awaitable[R | Reject]]) -> None:
        async for key, item in source:
            if self.shelf.has(key):
                self.progress.skipped += 1
                continue
            self.progress.busy += 1
            try:
                await self._one(key, item, work)
            except BudgetSpent as spent:
                self.progress.unpaid += 1
                self._spent = spent
            finally:
                self.progress.busy -= 1
            self._check_fuse()

    async def _one(self, key: str, item: Item, work: Callable[[str, Item], Awaitable[R | Reject]]) -> None:
        for number in range(1, self._tries + 1):
            try:
                result = await work(key, item)
                break
            except StorageError:
                raise  # a disk that refuses will refuse again, and what was paid for is gone each time
            except BoundaryError as error:
                if number == self._tries or error.final:
                    await self._lose(key, error, number)
                    return
                self._check_fuse()
            await asyncio.sleep(self._pause * 2 ** (number - 1) * random.uniform(0.5, 1.5))
        if isinstance(result, Reject):
            await self.shelf.reject(result if result.key else result.but(key=key))
        else:
            await self.emit(key, result)
        self.progress.finished += 1

    async def _lose(self, key: str, error: BoundaryError, tries: int) -> None:
        self.progress.failed += 1
        what = error.boundary or type(error).__name__
        self.progress.errors[what] += 1
        self.progress.last_errors[what] = " ".join(str(error).split())[:300]
        at = datetime.now(UTC).isoformat(timespec="seconds")
        kind = type(error).__name__
        await self.shelf.lose(
            Failure(key=key, boundary=error.boundary, kind=kind, error=str(error)[:4000], tries=tries, at=at)
        )

    def _check_fuse(self) -> None:
        progress = self.progress
        if progress.failed + progress.finished >= FUSE and progress.failed > progress.finished:
            worst = "; ".join(
                f"{what} ({count}, at last: {progress.last_errors[what]})"
                for what, count in progress.errors.most_common(3)
            )
            raise FuseBlown(
                f"{progress.failed} of {progress.failed + progress.finished} items were lost to the infrastructure: "
                f"{worst}. The last errors are in {self.shelf.folder / 'failures.jsonl'}; mend the cause and run the "
                "same command again: nothing that was finished is paid for twice."
            )


class _Source(Generic[Item]):
    """One iterator that many workers pull from."""

    def __init__(self, items: Iterable[tuple[str, Item]] | AsyncIterable[tuple[str, Item]]) -> None:
        self._items = items.__aiter__() if isinstance(items, AsyncIterable) else _asynchronous(items)
        self._turn = asyncio.Lock()
        self._keys: set[str] = set()
        self._over = False

    def __aiter__(self) -> AsyncIterator[tuple[str, Item]]:
        return self

    async def __anext__(self) -> tuple[str, Item]:
        async with self._turn:
            if self._over:
                raise StopAsyncIteration
            try:
                key, item = await anext(self._items)
                if key in self._keys:
                    raise RunError(f"two items have the key {key!r}; every item needs a key of its own")
            except BaseException:
                self._over = True
                raise
            self._keys.add(key)
            return key, item

    async def close(self) -> None:
        closing = getattr(self._items, "aclose", None)
        if closing is not None:
            await closing()


async def _asynchronous(items: Iterable[Item]) -> AsyncIterator[Item]:
    for number, item in enumerate(items):
        if number % 1000 == 999:
            await asyncio.sleep(0)  # a long stretch of items that are done must not starve the rest
        yield item
