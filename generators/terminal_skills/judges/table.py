"""Judges a CSV file: header, rows in order, cells exact or within the tolerance of their column, line feeds."""

# Runs on Python 3.8 and starts for every check, so: no zip(strict=), no pathlib.
# ruff: noqa: B905

from __future__ import annotations

import csv
import io

from reading import facts, fail, near, text  # type: ignore[import-not-found]


def main() -> None:
    want = facts()
    content = text(want["path"])
    try:
        rows = [row for row in csv.reader(io.StringIO(content, newline="")) if row]
    except csv.Error as error:
        fail(f"{want['path']} is no CSV: {error}")
    if not rows or rows[0] != want["columns"]:
        fail(f"header of {want['path']}: expected {want['columns']}, found {rows[0] if rows else 'an empty file'}")
    for number, (found, expected) in enumerate(zip(rows[1:], want["rows"]), 1):
        if len(found) != len(expected):
            fail(f"row {number} of {want['path']}: expected {len(expected)} cells, found {len(found)}: {found}")
        for column, cell, truth in zip(want["columns"], found, expected):
            tolerance = want["tolerance"].get(column, 0)
            if cell != truth and not (tolerance and near(cell, truth, tolerance)):
                fail(f"row {number} of {want['path']}, column {column}: expected {truth!r}, found {cell!r}")
    if len(rows) - 1 != len(want["rows"]):
        fail(f"{want['path']}: expected {len(want['rows'])} rows under the header, found {len(rows) - 1}")
    if "\r\n" in content or not content.endswith("\n"):
        fail(f"{want['path']}: every line must end in a single line feed, the last one too")


if __name__ == "__main__":
    main()
