"""Prints the paths of all files of a box in which a piece of bytes lies, packed or not: ``box_search.py TOPS HEX…``.

Looked through is every file that can be read below TOPS (with colons): as it is, inflated (objects of git, gzip, bzip2,
xz), and the members of zip and tar archives, two levels deep; without /proc, /sys and /dev. Git unpacks its packs.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

NOT = ("/proc", "/sys", "/dev")
BROKEN = (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError)


def layers(data: bytes, depth: int = 2) -> Iterator[bytes]:
    """The bytes, and whatever they are packed from."""
    yield data
    if not depth:
        return
    ways = {b"\x1f\x8b": gzip.decompress, b"BZ": bz2.decompress, b"\xfd7": lzma.decompress, b"x\x01": zlib.decompress}
    try:
        if data[:2] in ways:
            yield from layers(ways[data[:2]](data), depth - 1)
        elif data[:2] == b"x\x9c":
            yield zlib.decompress(data)
        elif data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as zipped:
                for entry in zipped.infolist():
                    yield from layers(zipped.read(entry), depth - 1)
        elif data[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                for member in tar:
                    file = tar.extractfile(member) if member.isfile() else None
                    yield from layers(file.read() if file else b"", depth - 1)
        elif data[:4] == b"PACK" or data.startswith(b"# v2 git bundle"):
            yield unpacked(data)
    except BROKEN:
        return


def unpacked(pack: bytes) -> bytes:
    """All objects of a pack of git, or of a bundle."""
    os.makedirs("/tmp/unpacked", exist_ok=True)  # noqa: PTH103
    git = ["git", "-C", "/tmp/unpacked"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "unpack-objects", "-q", "-r"], input=pack[pack.index(b"PACK") :], check=False)
    said = subprocess.run([*git, "cat-file", "--batch-all-objects", "--batch"], capture_output=True, check=False)
    subprocess.run(["rm", "-rf", "/tmp/unpacked"], check=True)
    return said.stdout


def main(tops: list[str], pieces: list[bytes]) -> None:
    """Print a path a line, and how many files were looked through."""
    count = 0
    for top in tops:
        for folder, folders, names in os.walk(top):
            folders[:] = [name for name in folders if os.path.join(folder, name) not in NOT]  # noqa: PTH118
            for path in (os.path.join(folder, name) for name in names):  # noqa: PTH118
                if not os.path.isfile(path) or os.path.islink(path):  # noqa: PTH113, PTH114
                    continue
                try:
                    with open(path, "rb") as file:
                        data = file.read()
                except OSError:
                    continue
                count += 1
                if any(piece in layer for layer in layers(data) for piece in pieces):
                    print(path)
    print(count, "files")


if __name__ == "__main__":
    main(sys.argv[1].split(":"), [bytes.fromhex(piece) for piece in sys.argv[2:]])
