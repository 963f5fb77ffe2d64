"""Reads SWE task instances of others: SWE-bench, SWE-smith, SWE-Gym, SWE-rebench, and our own."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson

from datafactory.errors import DataError
from datafactory.types import Record

SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".json", ".parquet")
_MIRROR = re.compile(r"swesmith/(?:(?P<owner>.+?)__)?(?P<name>.+?)\.(?P<at>[0-9a-f]{8}|\d[\w.]*)")
"""SWE-smith's name of a repository at a commit; of a package without an owner, ours at a version."""


class Instance(Record):
    """One bug of a repository, and the tests that tell whether it is mended."""

    instance_id: str
    repo: str
    """As the row has it: `owner/name`, or `swesmith/<owner>__<name>.<commit8>`."""
    base_commit: str = ""
    version: str = ""
    problem_statement: str = ""
    patch: str
    """Unified diff that mends the bug; that makes it, where `patch_makes_bug`."""
    patch_makes_bug: bool = False
    bug_patch: str = ""
    """Unified diff that makes the bug, on top of `base_commit`; empty: `patch` does, or the commit itself has it."""
    test_patch: str = ""
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    image_name: str = ""
    license: str = ""
    hints_text: str = ""
    created_at: str = ""

    @property
    def origin(self) -> str:
        """`owner/name`, also where `repo` names one of SWE-smith's mirrors; the name alone where it has no owner."""
        found = _MIRROR.fullmatch(self.repo)
        return "/".join(filter(None, (found["owner"], found["name"]))) if found else self.repo

    @property
    def commit(self) -> str:
        """The commit of `origin` to start from: `base_commit`, or the first 8 digits that a mirror's name has; empty:
        there is none, and `version` tells more."""
        found = _MIRROR.fullmatch(self.repo)
        return self.base_commit or (found["at"] if found and found["owner"] and len(found["at"]) == 8 else "")


def read_instances(path: Path, *, patch_makes_bug: bool | None = None) -> Iterator[Instance]:
    """The instances of a file, in its order: JSON Lines (plain or gzip), JSON (a list, or an object by id), Parquet.

    Lists of tests may be lists or JSON text. `patch_makes_bug` says what `patch` does; None: it makes the bug where
    `repo` begins with ``swesmith/``. Keys that are not known are passed over. Raises DataError, which names file, row
    and key.
    """
    for where, row in _rows(path):
        yield instance_of(row, f"{path}, {where}", patch_makes_bug=patch_makes_bug)


def instance_of(row: Any, where: str, *, patch_makes_bug: bool | None = None) -> Instance:
    """The instance of one row, as `read_instances` reads it; `where`: its place, for messages. Raises DataError."""
    if not isinstance(row, Mapping):
        raise DataError(f"{where}: a row must be an object, not {type(row).__name__}")
    repo = _text(row, where, "repo", needed=True)
    return Instance(
        instance_id=_text(row, where, "instance_id", needed=True),
        repo=repo,
        base_commit=_text(row, where, "base_commit"),
        version=_text(row, where, "version"),
        problem_statement=_text(row, where, "problem_statement"),
        patch=_text(row, where, "patch", needed=True),
        patch_makes_bug=repo.startswith("swesmith/") if patch_makes_bug is None else patch_makes_bug,
        bug_patch=_text(row, where, "bug_patch"),
        test_patch=_text(row, where, "test_patch"),
        fail_to_pass=_tests(row, where, "FAIL_TO_PASS"),
        pass_to_pass=_tests(row, where, "PASS_TO_PASS"),
        image_name=_text(row, where, "image_name", "docker_image", "image"),
        license=_text(row, where, "license", "license_name"),
        hints_text=_text(row, where, "hints_text"),
        created_at=_time(row, where),
    )


def _text(row: Mapping[str, Any], where: str, *keys: str, needed: bool = False) -> str:
    """The first of `keys` that has a value."""
    for key in keys:
        value = row.get(key)
        if isinstance(value, str):
            if value.strip():
                return value
        elif isinstance(value, int | float) and not isinstance(value, bool) and key == "version":
            return str(value)
        elif value is not None:
            raise DataError(f"{where}: {key}: must be text, not {type(value).__name__}")
    if needed:
        raise DataError(f"{where}: {keys[0]}: is missing or empty")
    return ""


def _tests(row: Mapping[str, Any], where: str, key: str) -> tuple[str, ...]:
    value = row.get(key, row.get(key.lower()))
    if value is None:
        raise DataError(f"{where}: {key}: is missing")
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise DataError(f"{where}: {key}: text that is no JSON: {error.msg}") from error
    if not isinstance(value, list) or not all(isinstance(test, str) for test in value):
        raise DataError(f"{where}: {key}: must be a list of test ids, or one as JSON text")
    return tuple(value)


def _time(row: Mapping[str, Any], where: str) -> str:
    """`created_at` as text; a number is milliseconds since 1970 (SWE-rebench)."""
    value = row.get("created_at")
    if isinstance(value, date):  # Parquet has times of its own
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value / 1000, UTC).isoformat()
        except (ValueError, OverflowError, OSError) as error:
            raise DataError(f"{where}: created_at: {value} is no time in milliseconds") from error
    return _text(row, where, "created_at")


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    """Each row and its place."""
    if not path.name.endswith(SUFFIXES):
        raise DataError(f"{path}: cannot tell what it is; wanted one of {', '.join(SUFFIXES)}")
    try:
        if path.suffix == ".parquet":
            yield from _of_parquet(path)
        elif path.suffix == ".json":
            yield from _of_json(path)
        else:
            yield from _of_lines(path)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: {error}") from error


def _of_lines(path: Path) -> Iterator[tuple[str, Any]]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield f"line {number}", _parsed(line, f"{path}, line {number}")


def _of_json(path: Path) -> Iterator[tuple[str, Any]]:
    held = _parsed(path.read_bytes(), str(path))
    if isinstance(held, dict) and "instance_id" not in held:
        for id, row in held.items():
            yield f"key {id!r}", {"instance_id": id, **row} if isinstance(row, dict) else row
        return
    for number, row in enumerate(held if isinstance(held, list) else [held], 1):
        yield f"row {number}", row


def _of_parquet(path: Path) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as table:
            for batch in table.iter_batches(batch_size=256):
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", row
    except pa.ArrowException as error:
        raise DataError(f"{path}: no readable Parquet: {error}") from error


def _parsed(text: bytes, where: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise DataError(f"{where}: no JSON: {error.msg}") from error
