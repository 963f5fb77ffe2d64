"""Writes a file from a shell line, whatever the text."""

from __future__ import annotations

import shlex


def written(path: str, text: str) -> str:
    """Shell lines that leave exactly `text` (no NUL in it) in `path`."""
    mark, number = "EOF", 0
    lines = text.splitlines()
    while mark in lines:
        number += 1
        mark = f"EOF_{number}"
    target = shlex.quote(path)
    made = f"cat > {target} <<'{mark}'\n{text}"
    if text.endswith("\n") or not text:
        return f"{made}{mark}"
    return f"{made}\n{mark}\ntruncate -s -1 {target}"
