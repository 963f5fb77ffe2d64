"""Rows of a user's data file by number, with memory that does not grow with the file's content."""

from __future__ import annotations

import gzip
import os
import random
import tempfile
import zlib
from array import array
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import orjson

from datafactory.errors import DataError

SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".parquet")


class Rows:
    """A file's rows: JSON Lines (plain or gzip) or Parquet; blank lines are no rows.

    Only the place of each row is held (16 bytes a row). What cannot be read in place, gzip and Parquet,
    is first unpacked into an unnamed temporary file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._starts = array("Q")
        self._lines = array("Q")
        self._file = self._open()
        self._index()

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> dict[str, Any]:
        """Row `number`, from 0. Raises DataError with file and line where it is no JSON object."""
        start, end = self._starts[number], self._starts[number + 1]
        text = os.pread(self._file.fileno(), end - start, start)
        try:
            row = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise DataError(f"{self.where(number)}: no JSON: {error.msg}") from error
        if not isinstance(row, dict):
            raise DataError(f"{self.where(number)}: a row must be a JSON object, not {type(row).__name__}")
        return row

    def where(self, number: int) -> str:
        """`<file>, line <n>`: the place of a row, for messages."""
        word = "row" if self.path.suffix == ".parquet" else "line"
        return f"{self.path}, {word} {self._lines[number]}"

    def item(self, number: int) -> str:
        """`<file name>:<line>`: the place of a row, for records (no folder of this machine in it)."""
        return f"{self.path.name}:{self._lines[number]}"

    def _open(self) -> IO[bytes]:
        if not self.path.name.endswith(SUFFIXES):
            raise DataError(f"{self.path}: cannot tell what it is; wanted one of {', '.join(SUFFIXES)}")
        try:
            if self.path.suffix not in (".gz", ".parquet"):
                return self.path.open("rb")
            unpacked = tempfile.TemporaryFile()  # noqa: SIM115  closed with the rows
            for chunk in _unzipped(self.path) if self.path.suffix == ".gz" else _parquet_lines(self.path):
                unpacked.write(chunk)
            unpacked.flush()
            return unpacked
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{self.path}: {error}") from error

    def _index(self) -> None:
        place = 0
        self._file.seek(0)
        for number, line in enumerate(self._file, 1):
            if line.strip():
                self._starts.append(place)
                self._lines.append(number)
            place += len(line)
        self._starts.append(place)


def open_rows(path: Path) -> Rows:
    """The rows of `path`, indexed once for as long as the file stays the same. Raises DataError."""
    try:
        stat = path.stat()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    return _indexed(path.resolve(), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _indexed(path: Path, _changed: int, _size: int) -> Rows:
    return Rows(path)


@lru_cache(maxsize=8)
def shuffled(length: int, seed: int) -> array[int]:
    """The numbers 0 to `length` - 1 in an order that depends on nothing but `seed`."""
    order = array("Q", range(length))
    random.Random(seed).shuffle(order)
    return order


def _unzipped(path: Path) -> Iterator[bytes]:
    with gzip.open(path, "rb") as packed:
        while chunk := packed.read(1 << 20):
            yield chunk


def _parquet_lines(path: Path) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as table:
            for batch in table.iter_batches(batch_size=256):
                for row in batch.to_pylist():
                    yield orjson.dumps(row, default=_plain) + b"\n"
    except pa.ArrowException as error:
        raise DataError(f"{path}: no readable Parquet: {error}") from error


def _plain(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
