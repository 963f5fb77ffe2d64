"""An sdist's archive becomes files, without anything of it being run or laid on this machine's disk."""

from __future__ import annotations

import stat
import tarfile
import zipfile
import zlib
from lzma import LZMAError
from pathlib import Path

from datafactory.types import File, Files
from generators.swe.sources.fault import SourceError
from generators.swe.sources.tree import LIMIT, check_paths, check_size

ENDINGS = (".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz", ".tar")
"""What sdists are, or once were, packed as."""
_NOWHERE = "/nonexistent/unpacked"
"""Where the tar filter is told that files go: it must not be a folder whose links could lead elsewhere."""
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, LZMAError, OSError, KeyError, RuntimeError)
"""What the standard library raises for archives that are torn, encrypted or hostile."""


def unpacked(archive: Path) -> Files:
    """The files of an archive, its one top folder taken off. Raises SourceError."""
    try:
        files = _zip(archive) if archive.name.endswith(".zip") else _tar(archive)
    except _BROKEN as error:
        raise SourceError("unpack", f"{archive.name}: {error}") from error
    if not files:
        raise SourceError("unpack", f"{archive.name} holds no files")
    check_paths(files)
    tops = {path.partition("/")[0] for path in files}
    if len(tops) == 1 and all("/" in path for path in files):
        files = {path.partition("/")[2]: file for path, file in files.items()}
    return files


def _tar(archive: Path) -> Files:
    files: Files = {}
    sizes: dict[str, int] = {}
    total = 0
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isdir():
                continue
            path = _relative(member.name)
            if member.issym():  # `settled` judges them, by where the whole tree leads
                files[path] = File(link=member.linkname)
                continue
            safe = tarfile.data_filter(member, _NOWHERE)
            sizes[path] = member.size
            total += member.size
            if total > LIMIT:  # before the next member, so that a bomb is not unpacked to its end
                check_size(sizes)
            content = tar.extractfile(member)
            if content is None:
                raise SourceError("unpack", f"{archive.name}: {path} is no file")
            files[path] = File(data=content.read(), mode=(safe.mode or 0o644) & 0o777)
    return files


def _zip(archive: Path) -> Files:
    files: Files = {}
    with zipfile.ZipFile(archive) as packed:
        members = [member for member in packed.infolist() if not member.is_dir()]
        check_size({member.filename: member.file_size for member in members})
        for member in members:
            mode, data = member.external_attr >> 16, packed.read(member)
            if stat.S_ISLNK(mode):
                files[_relative(member.filename)] = File(link=data.decode(errors="surrogateescape"))
            else:
                files[_relative(member.filename)] = File(data=data, mode=0o755 if mode & 0o100 else 0o644)
    return files


def _relative(name: str) -> str:
    """The name as it is, less a leading `./`; `settled` refuses what is not inside."""
    return name.removeprefix("./")
