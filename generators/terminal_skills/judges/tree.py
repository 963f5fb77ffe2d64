"""Judges a folder: exactly these files, by digest, and where asked their permission bits and links."""

# Runs on Python 3.8 and starts for every check, so: no pathlib.
# ruff: noqa: PTH110, PTH112, PTH114, PTH115, PTH116, PTH118

from __future__ import annotations

import hashlib
import os
from typing import Any

from reading import facts, fail, raw  # type: ignore[import-not-found]


def entries(root: str) -> set[str]:
    """Relative paths of everything in the folder that is no folder."""
    made = set()
    for folder, folders, names in os.walk(root):
        for name in names + [n for n in folders if os.path.islink(os.path.join(folder, n))]:
            made.add(os.path.relpath(os.path.join(folder, name), root))
    return made


def judge(path: str, want: dict[str, Any]) -> None:
    """Fail unless the file is as wanted."""
    if "link" in want:
        if not os.path.islink(path):
            fail(f"expected a symbolic link at {path}")
        if os.path.realpath(path) != os.path.realpath(want["link"]):
            fail(f"{path}: expected a link to {want['link']}, found one to {os.readlink(path)}")
        return
    if "link" not in want and want.get("regular") and os.path.islink(path):
        fail(f"{path}: expected a regular file, found a symbolic link")
    if "sha256" in want and hashlib.sha256(raw(path)).hexdigest() != want["sha256"]:
        fail(f"content of {path} is not as expected ({want.get('size')} bytes expected, {len(raw(path))} found)")
    if "mode" in want:
        if not os.path.exists(path):
            fail(f"expected a file at {path}, found nothing")
        found = f"{os.stat(path).st_mode & 0o7777:04o}"
        if found != want["mode"]:
            fail(f"permissions of {path}: expected {want['mode']}, found {found}")


def main() -> None:
    want = facts()
    if "root" in want:
        if not os.path.isdir(want["root"]):
            fail(f"expected a folder at {want['root']}")
        found, expected = entries(want["root"]), set(want["files"])
        if found != expected:
            fail(f"{want['root']}: missing {sorted(expected - found)[:5]}, not expected {sorted(found - expected)[:5]}")
    for name, wanted in want["files"].items():
        judge(os.path.join(want.get("root", "/"), name), wanted)


if __name__ == "__main__":
    main()
