"""How every judge reads its facts and a product; whatever is wrong with a product ends in exit status 1."""

# Runs on Python 3.8 and starts for every check, so: no pathlib.
# ruff: noqa: PTH112, PTH113, PTH123

from __future__ import annotations

import json
import os
import sys
from typing import Any


def facts() -> Any:
    """The expectations, from the JSON file named by the first argument."""
    with open(sys.argv[1], encoding="utf-8") as file:
        return json.load(file)


def fail(message: str) -> None:
    """End as a failure (status 1) that says what was expected and what was found.

    What a judged program said must not look as if the judge itself had crashed, so its lines are indented.
    """
    said = message.replace("Traceback (most recent call last)", "[trace]").replace("\n", "\n  ")
    sys.exit(f"FAILED: {said}")


def raw(path: str) -> bytes:
    """The bytes of a regular file, or a failure."""
    if not os.path.isfile(path):
        fail(f"expected a file at {path}, found {'a folder' if os.path.isdir(path) else 'nothing'}")
    try:
        with open(path, "rb") as file:
            return file.read(32 << 20)
    except OSError as error:
        fail(f"{path} cannot be read: {error}")
        raise


def text(path: str) -> str:
    """The content as UTF-8 (a byte order mark is let pass), or a failure."""
    try:
        return raw(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fail(f"{path} is not UTF-8: {error}")
        raise


def near(found: Any, expected: Any, tolerance: float) -> bool:
    """Whether two numbers (or texts of numbers) lie within `tolerance`; False where one is no number."""
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    try:
        return abs(float(found) - float(expected)) <= tolerance + 1e-9 * max(1.0, abs(float(expected)))
    except (TypeError, ValueError):
        return False
