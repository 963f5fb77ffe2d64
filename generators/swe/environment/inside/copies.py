"""Prints where a box holds the code of a repository's modules a second time, whole or in part, as JSON.

``copies.py REPOSITORY FOLDER… < modules``: the modules as JSON, paths in the repository. Every text and archive below
REPOSITORY and FOLDER is read, elsewhere what is named like a module, and archives. What is found is a list of objects:
`path`; `member` (in an archive, else empty); `module`, of which most is there; `share` of its telling lines that are;
`same`, whether it is that file; `runs` of lines that follow one another in both.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import html
import io
import json
import lzma
import os
import posixpath
import re
import stat
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

LARGEST = 64 << 20
"""Bytes of a file or member that is looked into."""
SHORTEST = 4
"""Lines of a run; fewer are idiom."""
TELLING = 16
"""Characters from which on a line tells one module from another."""
PACKED = (".whl", ".egg", ".zip", ".pyz", ".tgz", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz")
PLACES = ("/proc", "/sys", "/dev")
_EDGES = re.compile(r"""^[\s"'>+|-]+|(?:\\n)?[\s"',]+$""")
_TAG = re.compile(r"<[^>]*>")
_BROKEN: tuple[type[Exception], ...] = (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, KeyError)
_BROKEN += (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError)


def plain(text: str) -> list[str]:
    """Lines without blanks, comments, and the marks of diffs, doctests and notebooks at their edges."""
    lines = (_EDGES.sub("", line) for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def opened(data: bytes, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Names and contents of what a file holds: itself, or the members of an archive, those that are `wanted`."""
    try:
        if data[:4] == b"PK\3\4":
            with zipfile.ZipFile(io.BytesIO(data)) as zipped:
                for entry in zipped.infolist():
                    if entry.file_size <= LARGEST and wanted(entry.filename):
                        yield entry.filename, zipped.read(entry)
            return
        unpack = next((way for head, way in HEADS if data.startswith(head)), None)
        if unpack is not None:
            data = unpack(data)
        if data[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(data)) as packed:
                for member in packed:
                    if member.isfile() and member.size <= LARGEST and wanted(member.name):
                        yield member.name, _read(packed, member)
            return
        if data.startswith((b"PACK", b"# v2 git bundle", b"# v3 git bundle")):
            data = unpacked(data[data.index(b"PACK") :])
            unpack = unpacked
        if unpack is not None:
            yield "unpacked", data
            return
    except _BROKEN:
        pass  # it is no such archive
    yield "", data


def _read(packed: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = packed.extractfile(member)
    return b"" if file is None else file.read()


def unpacked(pack: bytes) -> bytes:
    """All that a pack of git holds, as far as it needs nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        git = ["git", "-C", folder]
        subprocess.run([*git, "init", "-q", "--template="], check=False)
        subprocess.run([*git, "unpack-objects", "-q", "-r"], input=pack, stderr=subprocess.DEVNULL, check=False)
        listed = [*git, "cat-file", "--batch-all-objects", "--batch"]
        return subprocess.run(listed, stdout=subprocess.PIPE, check=False).stdout[:LARGEST]


def bounded(way: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """A way to unpack that gives LARGEST bytes at most."""
    return lambda data: bytes(way(io.BytesIO(data)).read(LARGEST))


HEADS: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", bounded(gzip.open)),
    (b"BZh", bounded(bz2.open)),
    (b"\xfd7zXZ", bounded(lzma.open)),
    (b"\x78\x01", lambda data: zlib.decompressobj().decompress(data, LARGEST)),
    (b"\x78\x9c", lambda data: zlib.decompressobj().decompress(data, LARGEST)),
)


class Modules:
    """The modules of the repository, by their lines."""

    def __init__(self, repository: str, modules: list[str]) -> None:
        self.names = {posixpath.basename(path) for path in modules}
        self.at = {posixpath.join(repository, path): path for path in modules}
        self.lines: dict[str, set[str]] = {}
        self.digests: dict[str, bytes] = {}
        self.telling: dict[str, set[str]] = {}
        for place, path in self.at.items():
            data = Path(place).read_bytes()
            self.digests[path] = hashlib.sha256(data).digest()
            lines = plain(data.decode(errors="replace"))
            self.telling[path] = {line for line in lines if tells(line)}
            for line in lines:
                self.lines.setdefault(line, set()).add(path)

    def found_in(self, data: bytes, own: set[str]) -> dict[str, Any] | None:
        """What a text has of modules other than `own`; None: nothing that would tell."""
        text = data.decode(errors="replace")
        lines = plain(html.unescape(_TAG.sub("", text)) if "</span>" in text else text)
        runs: list[list[str]] = []
        run: list[str] = []
        for line in [*lines, ""]:
            if line and self.lines.get(line, set()) - own:
                run.append(line)
                continue
            if len(run) >= SHORTEST and sum(map(tells, run)) >= 2:
                runs.append(run)
            run = []
        if not runs:
            return None
        there = {line for run in runs for line in run}
        shares = {path: len(telling & there) / len(telling) for path, telling in self.telling.items() if telling}
        module = max(set(shares) - own, key=lambda path: shares[path])
        same = hashlib.sha256(data).digest() == self.digests[module]
        return {"module": module, "share": round(shares[module], 3), "same": same, "runs": runs}


def tells(line: str) -> bool:
    """Whether a line is more than an idiom."""
    return len(line) >= TELLING and not line.startswith(("import ", "from "))


def files(top: str, skipped: Collection[str], wanted: Callable[[str], bool]) -> Iterator[str]:
    """Paths of the plain files below `top` whose names are `wanted`."""
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if posixpath.join(folder, name) not in skipped]
        for path in (posixpath.join(folder, name) for name in names if wanted(name)):
            with contextlib.suppress(OSError):
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode) and 0 < status.st_size <= LARGEST:
                    yield path


def main(named_modules: list[str], repository: str, *folders: str, top: str = "/") -> list[dict[str, Any]]:
    """All that is found; `top`: the folder of everything."""
    modules = Modules(repository, named_modules)
    if not any(modules.telling.values()):
        return []
    found: list[dict[str, Any]] = []
    own = (repository, *folders)

    def named(name: str) -> bool:
        return posixpath.basename(name) in modules.names

    def look(path: str, wanted: Callable[[str], bool]) -> None:
        data = Path(path).read_bytes()
        mine = {modules.at[path]} if path in modules.at else set()
        for member, content in opened(data, wanted):
            if seen := modules.found_in(content.replace(b"\0", b"\n"), mine):  # as editors' swap files have lines
                found.append({"path": path, "member": member, **seen})

    for folder in own:
        for path in files(folder, (), lambda name: True):
            look(path, lambda name: True)
    for path in files(top, {*PLACES, *own}, lambda name: named(name) or name.endswith(PACKED)):
        with contextlib.suppress(PermissionError):
            look(path, named)
    return found


if __name__ == "__main__":
    print(json.dumps(main(json.load(sys.stdin), *sys.argv[1:])))
