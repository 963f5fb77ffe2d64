"""A shelf: the records that one stage made, what it rejected and what the infrastructure lost, on disk."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import orjson
from pydantic_core import PydanticSerializationError

from datafactory.errors import DataError, RunError, StorageError, boundary
from datafactory.storage.journal import Journal, lines, objects
from datafactory.storage.sums import sum_of_file
from datafactory.types import Failure, Record, Reject
from datafactory.whole import whole

R = TypeVar("R", bound=Record)

RECORDS, REJECTS, FAILURES, MANIFEST = "records.jsonl", "rejects.jsonl", "failures.jsonl", "manifest.json"
REJECTED = "rejects.parquet"
"""What a columnar stage did not keep, with `filter` and `reason`."""
TABLE = "records.parquet"
"""The sealed table of a columnar stage, or of a shelf that one has read."""
TABLES = (TABLE, REJECTED)


class Shelf(Generic[R]):
    """Open for one stage of one run. What exists on disk is the state; `manifest.json` says that it is complete."""

    def __init__(self, folder: Path, kind: type[R]) -> None:
        self.folder = folder
        self.kind = kind
        self.ended = asyncio.Event()
        """Set when nothing more will come in this run."""
        self.manifest: dict[str, Any] | None = read_manifest(folder)
        self.kept = 0
        self.dropped: Counter[str] = Counter()
        """Rejected items by reason."""
        self.facts: dict[str, Any] = {}
        """What else the manifest is to say, by the stage: JSON values."""
        self.lost: set[str] = set()
        """Keys of items that the infrastructure lost and that are not done since."""
        self._done: dict[str, int] = {}
        self._rejected: set[str] = set()
        self._claimed: set[str] = set()
        with boundary(StorageError, f"making {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            if not self.sealed:
                (folder / TABLE).unlink(missing_ok=True)  # of fewer records than there will be
        self._records = Journal(folder / RECORDS)
        self._rejects = Journal(folder / REJECTS)
        self._failures = Journal(folder / FAILURES)
        self._load()
        self.resumed = self.kept
        """Records that were there when the shelf was opened."""
        if self.sealed:
            self.ended.set()

    @property
    def sealed(self) -> bool:
        """Whether the stage is complete."""
        return self.manifest is not None

    def _load(self) -> None:
        offset = 0
        for number, line in enumerate(self._records.checked(), 1):
            key = _key(self.kind, self._records.path, number, line)
            if key in self._done:
                raise DataError(f"{self._records.path}:{number}: {key} stands here a second time")
            self._done[key] = offset
            offset += len(line) + 1
        self.kept = len(self._done)
        for number, row in enumerate(objects(self._rejects.path, self._rejects.checked()), 1):
            self._rejected.add(_field(row, "key", self._rejects.path, number))
            self.dropped[_field(row, "reason", self._rejects.path, number)] += 1
        for number, row in enumerate(objects(self._failures.path, self._failures.checked()), 1):
            key = _field(row, "key", self._failures.path, number)
            if not self.has(key):
                self.lost.add(key)
        if self.manifest is not None:
            self._compare(self.manifest["kept"])
            self.tell(self.manifest["kept"], self.manifest["rejected"])

    def _compare(self, kept: int) -> None:
        """Hold what is on disk against the manifest; a columnar stage has a table and no journal."""
        columnar = (self.folder / TABLE).exists() and not self._records.path.exists()
        if not columnar and len(self._done) != kept:
            name = self.folder.name.partition("-")[2].rpartition("-")[0] or self.folder.name
            raise DataError(
                f"{self.folder}: the stage is complete with {kept:,} records, but {len(self._done):,} are there; put "
                f"{RECORDS if len(self._done) else f'{RECORDS} (or {TABLE})'} back, or make it anew with --from {name}"
            )

    def tell(self, kept: int, dropped: Mapping[str, int]) -> None:
        """Say what a columnar stage did: its rows are in a table, not in the journal."""
        self.kept = kept
        self.dropped = Counter(dropped)

    def has(self, key: str) -> bool:
        """Whether this item is finished, and on disk: kept or rejected."""
        return key in self._done or key in self._rejected

    async def keep(self, key: str, record: R) -> None:
        """Put a record down; it is on disk when this returns.

        Raises StorageError, and RunError where the key is taken or is not the record's own.
        """
        line = dump(record)
        own = self.kind.key_of(orjson.loads(line))
        if own != key:
            raise RunError(f"{self.folder.name}: the item {key!r} made a {self.kind.__name__} whose key is {own!r}")

        def placed(offset: int) -> None:
            self._done[key] = offset
            self.kept += 1
            self.lost.discard(key)

        with self._claim(key):
            await self._records.append(line, placed)

    async def reject(self, reject: Reject) -> None:
        """Put down what was looked at and not kept. Raises StorageError, and RunError where the key is taken."""

        def placed(_: int) -> None:
            self._rejected.add(reject.key)
            self.dropped[reject.reason] += 1
            self.lost.discard(reject.key)

        with self._claim(reject.key):
            await self._rejects.append(dump(reject), placed)

    @contextmanager
    def _claim(self, key: str) -> Iterator[None]:
        """Hold a key while its line is on the way to the disk."""
        if key in self._claimed or self.has(key):
            raise RunError(f"{self.folder.name}: {key!r} came a second time; every item needs a key of its own")
        self._claimed.add(key)
        try:
            yield
        finally:
            self._claimed.discard(key)

    async def lose(self, failure: Failure) -> None:
        """Put down what the infrastructure lost; the next run tries it again."""
        self.lost.add(failure.key)
        await self._failures.append(dump(failure))

    def get(self, key: str) -> R:
        """The record of a key. Raises KeyError."""
        return self.kind.model_validate_json(self._records.at(self._done[key]))

    async def follow(self) -> AsyncIterator[R]:
        """Every record so far, then each new one once it is on disk, until the stage ends."""
        async for line in self._records.follow(self.ended):
            yield self.kind.model_validate_json(line)

    def __iter__(self) -> Iterator[R]:
        """The records that are there now, in the order in which they came."""
        for line in lines(self._records.path, 0, self._records.size):
            yield self.kind.model_validate_json(line)

    def seal(self, manifest: dict[str, Any]) -> None:
        """Declare the stage complete; the manifest appears whole or not at all. It knows the tables' checksums."""
        tables = {name: sum_of_file(self.folder / name) for name in TABLES if (self.folder / name).exists()}
        manifest = {**manifest, "tables": tables} if tables else manifest
        write_whole(self.folder / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n")
        self.manifest = manifest

    async def close(self) -> None:
        """Wait for what is being written."""
        for journal in (self._records, self._rejects, self._failures):
            await journal.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def dump(record: Record) -> bytes:
    """One line of JSON; half of a surrogate pair, which a model's cut-off answer may hold, becomes U+FFFD."""
    try:
        return record.model_dump_json().encode()
    except PydanticSerializationError:
        text = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _key(kind: type[Record], path: Path, number: int, line: bytes) -> str:
    with suppress(orjson.JSONDecodeError, KeyError, TypeError):
        return kind.key_of(orjson.loads(line))
    raise _broken(path, number, f"not a {kind.__name__} in JSON")


def _field(row: dict[str, Any], name: str, path: Path, number: int) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise _broken(path, number, f"no {name!r}")
    return value


def _broken(path: Path, number: int, said: str) -> DataError:
    return DataError(f"{path}:{number}: {said}; restore the file, or remove the stage's folder to make it again")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a complete stage; None: it is not complete. Raises DataError."""
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        made = json.loads(path.read_text())
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error})") from error
    if not isinstance(made, dict) or not {"kept", "rejected"} <= made.keys():
        raise DataError(f"{path}: not a stage's manifest; restore it, or remove it to have the stage completed again")
    return made


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file so that it appears whole or not at all. Raises StorageError."""
    with whole(path) as draft, boundary(StorageError, f"writing {path}"):
        draft.write_bytes(data)
