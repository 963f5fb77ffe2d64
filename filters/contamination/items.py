"""Reads benchmarks from files: JSON Lines, JSON, Parquet, text, and folders of tasks."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datafactory.errors import DataError

TEXTS = (
    "prompt",
    "question",
    "instruction",
    "problem",
    "problem_statement",
    "query",
    "text",
    "task",
    "description",
    "answer",
    "solution",
    "output",
)
"""Keys of a row that hold what is asked, and what is answered in words."""
CODES = ("canonical_solution", "code", "test", "tests", "test_list", "patch", "test_patch")
"""Keys of a row that hold programs: HumanEval's, MBPP's and SWE-bench's."""
NAMES = ("task_id", "instance_id", "question_id", "id", "uid", "name")
LARGEST = 1 << 30
"""Bytes of the largest benchmark file that is read."""


@dataclass(frozen=True, slots=True)
class Item:
    """One text of one item of a benchmark."""

    name: str
    """Such as `HumanEval/12`, or `gsm8k_test:7` (a line) where the row has no name of its own."""
    field: str
    text: str
    code: bool
    """Whether it is a program, which may come with other names in it."""


def read_items(path: Path, fields: Sequence[str] = ()) -> list[Item]:
    """The texts of a benchmark: a file, or a folder of Harbor tasks or of text files.

    `fields`: the keys to read, in place of those that benchmarks commonly have. Raises DataError, which names file and
    line, where nothing can be read.
    """
    found = list(_folder(path) if path.is_dir() else _file(path, fields))
    if not found:
        wanted = f"none of {', '.join(fields)}" if fields else "no key that benchmarks have; name yours with `fields`"
        raise DataError(f"{path}: no item of a benchmark was found in it: {wanted}")
    return found


def _folder(path: Path) -> Iterator[Item]:
    for task in sorted(path.glob("**/instruction.md")):
        yield Item(task.parent.name, "instruction", _text(task), False)
        for file in sorted((*task.parent.glob("tests/*.py"), *task.parent.glob("solution/*"))):
            if file.is_file():
                yield Item(task.parent.name, f"{file.parent.name}/{file.name}", _text(file), True)
    if not any(path.glob("**/instruction.md")):
        for file in sorted((*path.glob("*.txt"), *path.glob("*.md"))):
            yield Item(file.stem, "text", _text(file), False)


def _file(path: Path, fields: Sequence[str]) -> Iterator[Item]:
    endings = [ending for ending in path.suffixes if ending != ".gz"]
    if endings[-1:] in ([".txt"], [".md"]):
        yield Item(path.stem, "text", _text(path), False)
        return
    stem = path.name.partition(".")[0]
    for line, row in _rows(path, endings):
        if not isinstance(row, Mapping):
            raise DataError(f"{path}:{line}: a row of a benchmark is an object, not {type(row).__name__}")
        own = next((str(row[key]) for key in NAMES if isinstance(row.get(key), str | int)), "")
        name = own if stem in own or "/" in own else f"{stem}:{own or line}"
        for key in fields or (*TEXTS, *CODES):
            for text in _strings(row.get(key)):
                yield Item(name, key, text, key in CODES)


def _rows(path: Path, endings: Sequence[str]) -> Iterator[tuple[int, Any]]:
    if endings[-1:] == [".parquet"]:
        from datafactory.table import read_rows

        yield from enumerate(read_rows(path), 1)
        return
    text = _text(path)
    if endings[-1:] == [".json"]:
        try:
            made = json.loads(text)
        except ValueError as error:
            raise DataError(f"{path}: no JSON: {error}") from error
        rows = made if isinstance(made, list) else list(made.values()) if isinstance(made, dict) else [made]
        yield from enumerate(rows, 1)
        return
    for line, part in enumerate(text.splitlines(), 1):
        if part.strip():
            try:
                yield line, json.loads(part)
            except ValueError as error:
                raise DataError(f"{path}:{line}: no JSON: {error}") from error


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path}: more than {LARGEST >> 30} GiB; give the benchmark's test split alone")
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    return data.decode("utf-8", errors="replace")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
