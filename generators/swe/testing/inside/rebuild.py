"""Compiles the extension modules of a repository anew, where a patch changed what they are made from."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import time
from pathlib import Path

from .supervise import end_children

_SUFFIXES = (".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx", ".inc", ".pxd", ".pxi", ".pyx")
"""Of C, C++ and Cython."""
_SAID = 2000
"""Bytes kept of what a build that failed printed: its end."""


def sources(folder: Path) -> dict[str, str]:
    """What extension modules may be made from: a digest of each file, by path."""
    found = {}
    for above, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = Path(above, name)
            if name.endswith(_SUFFIXES) and path.is_file():
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def rebuild(line: str, python: str, home: str, timeout: float) -> tuple[str, float]:
    """Run a line of bash that compiles; why the tests cannot be run then (empty: they can), and how long it took.

    A build may run what a patch brought. Nothing of that is left running, and if it touched what runs the tests
    (Python, its packages, our programs), the build has failed.
    """
    began = time.monotonic()
    guarded = [Path(home), Path(python).parent.parent, Path(os.__file__).parent]
    before = _marks(guarded)
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            ["bash", "-c", line], stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
        try:
            code = child.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
        end_children()
        said.seek(max(0, said.seek(0, os.SEEK_END) - _SAID))
        log = said.read().decode(errors="replace").strip()
    seconds = time.monotonic() - began
    if _marks(guarded) != before:
        return "the build changed what runs the tests", seconds
    if code is None:
        return f"the build took over {timeout:.0f} s", seconds
    return (f"exit status {code}\n{log}" if code else ""), seconds


def _marks(folders: list[Path]) -> dict[str, tuple[int, int, int, int]]:
    """What no write to a file, and no exchange of it, leaves as it was."""
    found = {}
    for folder in folders:
        for above, inner, names in os.walk(folder):
            for path in (f"{above}/{name}" for name in (*inner, *names)):
                state = os.lstat(path)
                found[path] = (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    return found
