"""Layers are packed from files, whole or not at all; the same files make the same tar."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from datafactory.errors import DataError, StorageError, boundary
from datafactory.layers.disk import room
from datafactory.layers.layer import PREFIX, TIME, Layer, find, home, tar_of, turn
from datafactory.types import File, Files
from datafactory.whole import sync, whole

_ROOT = re.compile(r"(/[A-Za-z0-9._+@-]+)+")
_FOLDER = re.compile(r"/[A-Za-z0-9._+@/-]*")
_SYSTEM = {"bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "nix", "proc", "run", "sbin", "sys", "tmp"}
_SYSTEM |= {"usr", "var"}
_SHARED = "opt"
"""A folder of folders: each of those is a root of its own."""


def save(name: str, *, base: str, base_digest: str, files: Files, path: Sequence[str] = ()) -> Layer:
    """Keep `files` (absolute paths) as a layer, whole or not at all; where the same is kept already, nothing is
    written. Another layer of that name is replaced.

    Of modes, the nine permission bits are kept. Compiled Python in a ``site-packages`` is dated as its source is, so
    that it stays valid. Raises StorageError, and ValueError for a name or a path that no layer can have.
    """
    place, roots = home(name), roots_of(files)
    if base.startswith(PREFIX):
        raise ValueError(f"a layer lies on an image, not on another layer: {base!r}")
    if strange := [folder for folder in path if not _FOLDER.fullmatch(folder)]:
        raise ValueError(f"no folder for PATH: {strange[0]!r}")
    with boundary(StorageError, f"keeping layer {name!r}"), turn(place):
        for torn in place.glob(".*.part"):
            torn.unlink()
        said = Layer(name=name, base=base, base_digest=base_digest, digest="", path=tuple(path), size=0, roots=roots)
        with contextlib.suppress(DataError):
            if (kept := find(name)) is not None and kept.but(digest="", size=0) == said:
                again = _Counted(None)
                _pack(files, again)
                if again.digest == kept.digest:
                    return kept
        return _written(said, files, place)


def _written(said: Layer, files: Files, place: Path) -> Layer:
    draft = place / ".tar.part"
    try:
        with room(StorageError, f"keeping layer {said.name!r}", place, _weight(files)):
            with draft.open("wb") as file:
                counted = _Counted(file)
                _pack(files, counted)
            sync(draft)
        layer = said.but(digest=counted.digest, size=counted.size)
        with whole(place / "layer.json") as text:
            text.write_text(layer.model_dump_json(indent=2) + "\n")
            draft.replace(tar_of(layer))
    except BaseException:
        draft.unlink(missing_ok=True)
        if not (place / "layer.json").exists():
            shutil.rmtree(place, ignore_errors=True)
        raise
    return layer


def _weight(files: Files) -> int:
    """Bytes of the tar, about: a head for each file, and its content in whole blocks."""
    block = tarfile.BLOCKSIZE
    return sum(block + -(-len(file.data) // block) * block for file in files.values())


def roots_of(files: Files) -> tuple[str, ...]:
    """The folders that hold all `files`. Raises ValueError for a path that no layer can have: in a folder of the
    system, outside of all folders, not normal, or below another file."""
    roots = set[str]()
    for path in files:
        parts = path.split("/")[1:]
        if not path.startswith("/") or "\0" in path or {"", ".", ".."} & set(parts):
            raise ValueError(f"no absolute, normal path: {path!r}")
        depth = 2 if parts[0] == _SHARED else 1
        if parts[0] in _SYSTEM or len(parts) <= depth:
            raise ValueError(f"a layer brings files to /opt/<folder> and /<folder>, not to the system's: {path!r}")
        # Unpacked outside of a box, a file below a link would lie where the link points.
        if above := next((str(up) for up in PurePosixPath(path).parents if str(up) in files), None):
            raise ValueError(f"{path!r} lies below {above!r}, which is no folder")
        roots.add("/" + "/".join(parts[:depth]))
    if strange := [root for root in roots if not _ROOT.fullmatch(root)]:
        raise ValueError(f"a folder at the top of a layer has letters, digits and ._+@- in its name: {strange[0]!r}")
    if not roots:
        raise ValueError("a layer of no files")
    return tuple(sorted(roots))


class _Counted(io.RawIOBase):
    """What is written, counted and digested on its way to a file, or to nowhere."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file, self._seen, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._seen.update(data)
        self.size += len(data)
        return len(data) if self._file is None else self._file.write(data)

    @property
    def digest(self) -> str:
        return self._seen.hexdigest()


def _pack(files: Files, to: _Counted) -> None:
    folders = {str(above) for path in files for above in PurePosixPath(path).parents} - {"/"}
    with tarfile.open(fileobj=to, mode="w|", format=tarfile.PAX_FORMAT, errors="surrogateescape") as archive:
        for path in sorted({*folders, *files}):
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.mtime, file = TIME, files.get(path)
            if file is None:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            elif file.link is not None:
                entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, file.link, 0o777
            else:
                data = _dated(path, file)
                entry.size, entry.mode = len(data), file.mode & 0o777
                archive.addfile(entry, io.BytesIO(data))
                continue
            archive.addfile(entry)


def _dated(path: str, file: File) -> bytes:
    """Compiled Python names the time of its source (PEP 552: four bytes from byte 8, where the flags before are 0).

    Only in site-packages, which nobody edits: elsewhere it may be older than a source of the same size.
    """
    if not path.endswith(".pyc") or "/site-packages/" not in path or file.data[4:8] != b"\0\0\0\0":
        return file.data
    return file.data[:8] + TIME.to_bytes(4, "little") + file.data[12:]
