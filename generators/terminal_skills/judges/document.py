"""Judges a JSON document, or JSON Lines; key order and white space are free, numbers may have a tolerance."""

# Runs on Python 3.8 and starts for every check, so: no zip(strict=), no pathlib.
# ruff: noqa: B905

from __future__ import annotations

import json
from typing import Any

from reading import facts, fail, near, text  # type: ignore[import-not-found]


def compare(found: Any, expected: Any, tolerance: float, where: str) -> None:
    """Fail at the first difference."""
    if isinstance(expected, dict) and isinstance(found, dict):
        if set(found) != set(expected):
            fail(f"{where}: expected the keys {sorted(expected)}, found {sorted(found)}")
        for key in expected:
            compare(found[key], expected[key], tolerance, f"{where}.{key}")
    elif isinstance(expected, list) and isinstance(found, list):
        if len(found) != len(expected):
            fail(f"{where}: expected {len(expected)} items, found {len(found)}")
        for index, (one, other) in enumerate(zip(found, expected)):
            compare(one, other, tolerance, f"{where}[{index}]")
    elif isinstance(expected, (int, float)) and isinstance(found, (int, float)):
        if not near(found, expected, tolerance):
            fail(f"{where}: expected {expected!r}, found {found!r}")
    elif type(found) is not type(expected) or found != expected:
        fail(f"{where}: expected {expected!r}, found {found!r}")


def main() -> None:
    want = facts()
    content = text(want["path"])
    try:
        lines = content.replace("\r\n", "\n").split("\n")
        found = [json.loads(line) for line in lines if line.strip()] if want.get("by_line") else json.loads(content)
    except (ValueError, RecursionError) as error:
        fail(f"{want['path']} is no JSON{' Lines' if want.get('by_line') else ''}: {error}")
    compare(found, want["value"], want.get("tolerance", 0), want["path"])


if __name__ == "__main__":
    main()
