"""Judges a program by running it on inputs that its author has not seen."""

# Runs on Python 3.8 and starts for every check, so: no pathlib.
# ruff: noqa: PTH113, PTH118, PTH123

from __future__ import annotations

import os
import subprocess
import tempfile

from reading import facts, fail  # type: ignore[import-not-found]


def lines(text: str) -> list[str]:
    """Output as lines, without white space at their ends or empty lines at the end."""
    return [line.rstrip() for line in text.rstrip().split("\n")]


def main() -> None:
    want = facts()
    if not os.path.isfile(want["path"]):
        fail(f"expected a program at {want['path']}")
    for case in want["cases"]:
        with tempfile.TemporaryDirectory() as folder:
            given = os.path.join(folder, "input.txt")
            with open(given, "w", encoding="utf-8", newline="") as file:
                file.write(case["input"])
            argv = [a.replace("{input}", given) for a in want["argv"]]
            try:
                stdin = None if "{input}" in want["argv"] else case["input"]
                done = subprocess.run(argv, input=stdin, capture_output=True, timeout=10, encoding="utf-8",
                                      errors="replace", cwd=folder)  # fmt: skip
            except (OSError, subprocess.TimeoutExpired) as error:
                fail(f"{' '.join(want['argv'])}: {error}")
            status = case.get("status", 0)
            if done.returncode != status:
                fail(
                    f"on {case['input']!r}: expected exit status {status}, found {done.returncode}:"
                    f" {done.stderr[-300:]}"
                )
            if lines(done.stdout) != lines(case["output"]):
                fail(f"on {case['input']!r}: expected {case['output']!r}, found {done.stdout!r}")


if __name__ == "__main__":
    main()
