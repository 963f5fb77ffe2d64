"""Checksums of a journal's lines, in a file beside it: what was written is told from what a disk made of it."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from zlib import crc32

from datafactory.errors import DataError

SUFFIX = ".crc"
"""Of the file: four bytes for each line, CRC-32, the least significant byte first."""
_WIDTH = 4


class Sums:
    """Of one journal. The file is written after the lines that it is of, and never synced: after a crash it is short,
    and the lines past its end are taken as they are."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.path = journal.with_name(journal.name + SUFFIX)
        self._fd: int | None = None
        self._refused = False

    def write(self, lines: Iterable[bytes]) -> None:
        """Add the sums of lines that are on disk, without their newlines. A disk that refuses gets none until the
        journal is opened again: a gap would put all later ones at the wrong lines."""
        if self._refused:
            return
        data = b"".join(map(_sum, lines))
        try:
            if self._fd is None:
                self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            written = os.write(self._fd, data)
        except OSError:
            written = 0
        self._refused = written < len(data)

    def checked(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The lines as they come, each held against its sum. What the file lacks at its end is added to it; a file that
        knows more lines than there are is too long.

        Raises DataError with file and line where one is not what was written, and where lines are missing.
        """
        known = self.read()
        new = bytearray()
        count = 0
        for count, line in enumerate(lines, 1):
            if count <= len(known):
                if known[count - 1] != crc32(line):
                    raise DataError(f"{self.journal}:{count}: {DAMAGED}; {WAY}")
            else:
                new += _sum(line)
            yield line
        if count < len(known):
            raise DataError(f"{self.journal}: {len(known) - count:,} lines are missing at its end; {WAY}")
        size = len(known) * _WIDTH
        if new or (self.path.exists() and self.path.stat().st_size > size):
            with self.path.open("ab") as file:
                file.truncate(size)
                file.write(new)

    def read(self) -> array[int]:
        """The sums that there are, a number for each line; a torn last one is left out."""
        known: array[int] = array("I")
        if not self.path.exists():
            return known
        data = self.path.read_bytes()
        known.frombytes(data[: len(data) - len(data) % _WIDTH])
        if _BIG:
            known.byteswap()
        return known

    def close(self) -> None:
        """Nothing more is added."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


DAMAGED = "the line is not what was written (its checksum differs)"
WAY = "see what is damaged, and have it made again: datafactory fsck RUN"
_BIG = array("I", [1]).tobytes()[0] == 0


def _sum(line: bytes) -> bytes:
    return crc32(line).to_bytes(_WIDTH, "little")


def sums_of(lines: Iterable[bytes]) -> bytes:
    """The content of the file for a journal of these lines."""
    return b"".join(map(_sum, lines))


def sum_of_file(path: Path) -> int:
    """CRC-32 of a whole file."""
    made = 0
    with path.open("rb") as file:
        while part := file.read(1 << 22):
            made = crc32(part, made)
    return made
