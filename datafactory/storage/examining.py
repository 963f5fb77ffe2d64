"""Looks over a run's files for what a disk, or a person, did to them since they were written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import orjson

from datafactory.errors import DataError
from datafactory.storage.journal import lines
from datafactory.storage.layout import RunFolder
from datafactory.storage.shelf import FAILURES, MANIFEST, RECORDS, REJECTS, TABLES, read_manifest
from datafactory.storage.sums import DAMAGED, Sums, sum_of_file
from datafactory.types import Record, Reject

CALLS = "calls.sqlite"


@dataclass(frozen=True)
class Damage:
    """One thing that is wrong."""

    path: Path
    said: str
    line: int = 0
    """Of a journal, from 1; 0: the file as a whole."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.said}" if self.line else f"{self.path}: {self.said}"


def examine(run: RunFolder, kinds: Mapping[str, type[Record]]) -> Iterator[Damage]:
    """Everything that is wrong with a run that nobody writes to now: with the stages that count, and the calls.
    `kinds`: what each stage writes, by its word."""
    for stage in run.stages:
        if stage.path.is_dir():
            yield from _stage(stage.path, kinds[stage.name])
    if (run.path / CALLS).exists():
        yield from _calls(run.path / CALLS)


def _stage(folder: Path, kind: type[Record]) -> Iterator[Damage]:
    manifest = None
    try:
        manifest = read_manifest(folder)
    except DataError as error:
        yield Damage(folder / MANIFEST, str(error).partition(": ")[2].partition(";")[0])
    count, keys = 0, set[str]()
    for name, of in ((RECORDS, kind), (REJECTS, Reject), (FAILURES, None)):
        if (folder / name).exists():
            found = [*_journal(folder / name, of, keys)]
            yield from found
            count = count or sum(1 for _ in lines(folder / name)) - len({each.line for each in found if each.line})
    for name in TABLES:
        if (folder / name).exists():
            yield from _table(folder / name, ((manifest or {}).get("tables") or {}).get(name))
    if manifest is not None and (folder / RECORDS).exists() and count != manifest["kept"]:
        said = f"{count:,} whole records are there, and the stage was complete with {manifest['kept']:,}"
        yield Damage(folder / RECORDS, said)


def _journal(path: Path, kind: type[Record] | None, keys: set[str]) -> Iterator[Damage]:
    """What is wrong with the lines of one journal; `keys` are those of finished items that were seen before."""
    known = Sums(path).read()
    number = size = 0
    for number, line in enumerate(lines(path), 1):
        size += len(line) + 1
        if number <= len(known) and known[number - 1] != crc32(line):
            yield Damage(path, DAMAGED, number)
        elif said := _line(line, kind, keys):
            yield Damage(path, said, number)
    if number < len(known):
        yield Damage(path, f"{len(known) - number:,} lines are missing at its end")
    if torn := path.stat().st_size - size:
        yield Damage(path, f"{torn:,} bytes of a line that was never finished", number + 1)


def _line(line: bytes, kind: type[Record] | None, keys: set[str]) -> str:
    try:
        row = orjson.loads(line)
        key = "" if kind is None else kind.key_of(row)
    except orjson.JSONDecodeError as error:
        return f"not JSON ({error})"
    except (KeyError, TypeError):
        return f"not a {kind.__name__ if kind else 'record'}"
    if key in keys:
        return f"{key} stands here a second time"
    if key:
        keys.add(key)
    return ""


def _table(path: Path, known: int | None) -> Iterator[Damage]:
    """A table is what it was when its stage was complete; one of which nobody noted that can be read."""
    if known is not None:
        if sum_of_file(path) != known:
            yield Damage(path, "is not what was written (its checksum differs)")
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=256):
                batch.validate()
    except (OSError, pa.ArrowException) as error:
        yield Damage(path, f"cannot be read ({' '.join(str(error).split())[:200]})")


def _calls(path: Path) -> Iterator[Damage]:
    try:
        with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True) as connection:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
    except sqlite3.Error as error:
        said = [str(error)]
    for line in said:
        if line != "ok":
            yield Damage(path, " ".join(str(line).split()))
