"""What a task says of itself: what is the point of it is no trick."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

_NUMBER = re.compile(r"(?<![\w.])\d[\d.,:-]*\d(?![\w])|\b(?=[0-9a-f]*\d)[0-9a-f]{8,64}\b")
_DIGITS = 4
"""Digits of the shortest number that is told from others."""
_ROUND = {
    "1000",
    "1024",
    "2048",
    "3600",
    "4096",
    "8192",
    "10000",
    "65536",
    "86400",
    "100000",
    "1000000",
    "8080",
    "8000",
}
_LARGEST = 1 << 18
"""Characters of a check's file that are searched for numbers."""


@dataclass(frozen=True)
class Scene:
    """One task."""

    prompt: str
    checks: frozenset[str] = frozenset()
    """Files that its checks bring along, and folders that hold nothing else."""
    expected: frozenset[str] = frozenset()
    """Numbers and digests in those files that the prompt does not say."""

    def mentions(self, *words: str) -> bool:
        """Whether the prompt says one of the words."""
        said = self.prompt.casefold()
        return any(word and word.casefold() in said for word in words)

    def judges(self, path: str) -> bool:
        """Whether a path is one of its checks' files or folders."""
        plain = posixpath.normpath(path)
        return any(plain == own or plain.startswith(f"{own}/") for own in self.checks)


@lru_cache(maxsize=32)
def scene(task: str | None, instruction: str) -> Scene:
    """The scene of a row's `task` (JSON; None: not known) and `instruction`; attempts at one task share it."""
    found = _loaded(task)
    checks = [check for check in found.get("checks") or () if isinstance(check, dict)]
    files = {path: text for check in checks for path, text in _texts(check.get("files"))}
    workdir = str(found.get("workdir") or "/app")
    own = {path for path in files if not path.startswith(f"{workdir}/")}
    folders = {folder for path in own if (folder := posixpath.dirname(path)) not in ("/", workdir, "/tmp", "/usr/bin")}
    prompt = str(found.get("prompt") or instruction)
    numbers = {number for text in files.values() for number in numbers_in(text[:_LARGEST])}
    return Scene(prompt, frozenset(own | folders), frozenset(numbers - set(numbers_in(prompt))))


def numbers_in(text: str) -> Iterator[str]:
    """Numbers of four digits and more, and digests; round ones are left out."""
    for found in _NUMBER.finditer(text):
        plain = found[0].strip(".,:-").removesuffix(".0")
        if sum(letter.isdigit() for letter in plain) >= _DIGITS and plain not in _ROUND and plain.strip("0.,"):
            yield plain


def _loaded(task: str | None) -> dict[str, Any]:
    if not task:
        return {}
    try:
        found = orjson.loads(task)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _texts(files: Any) -> Iterator[tuple[str, str]]:
    """Paths and, of files that are text, their content."""
    for path, file in (files if isinstance(files, dict) else {}).items():
        text = file if isinstance(file, str) else file.get("text") if isinstance(file, dict) else None
        yield str(path), text if isinstance(text, str) else ""
