"""Judges a text file line by line; every line must end in a single line feed."""

# Runs on Python 3.8 and starts for every check, so: no zip(strict=), no pathlib.
# ruff: noqa: B905

from __future__ import annotations

from reading import facts, fail, near, text  # type: ignore[import-not-found]


def same(found: str, expected: str, tolerance: float) -> bool:
    """Equal; or, with a tolerance, the same number of fields, each equal or numerically near."""
    if found == expected or not tolerance:
        return found == expected
    cells, truths = found.split(), expected.split()
    return len(cells) == len(truths) and all(a == b or near(a, b, tolerance) for a, b in zip(cells, truths))


def main() -> None:
    want = facts()
    content = text(want["path"])
    found = content.split("\n")
    if found.pop() != "":
        fail(f"{want['path']}: the last line does not end in a newline")
    if any(line.endswith("\r") for line in found):
        fail(f"{want['path']}: lines must end in a single line feed, found carriage returns")
    for number, (line, expected) in enumerate(zip(found, want["lines"]), 1):
        if not same(line, expected, want.get("tolerance", 0)):
            fail(f"line {number} of {want['path']}: expected {expected!r}, found {line!r}")
    if len(found) != len(want["lines"]):
        fail(f"{want['path']}: expected {len(want['lines'])} lines, found {len(found)}")


if __name__ == "__main__":
    main()
