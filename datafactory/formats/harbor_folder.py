"""Reads and writes whole folders as files by relative path, and trusts neither the folder nor the paths."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from datafactory.errors import DataError
from datafactory.types import File

Tree = dict[str, File]
"""Relative POSIX paths; a path that ends in ``/`` is an empty folder."""

LARGEST_FILE = 64 << 20
LARGEST_TREE = 256 << 20
MOST_FILES = 10_000


def read_tree(folder: Path, *, free_links: Collection[str] = ()) -> Tree:
    """Everything in `folder`. Links are kept as links, never followed.

    Raises DataError for a link that leads out of the folder (unless its path is one of `free_links`), for a device,
    socket or pipe, for a name that is no UTF-8, and past the limits above.
    """
    tree: Tree = {}
    size = 0
    try:
        for path, entry in _walk(folder, ""):
            tree[path] = _read(folder, path, entry, free_links)
            size += len(tree[path].data)
            if size > LARGEST_TREE or len(tree) > MOST_FILES:
                raise DataError(f"{folder}: more than {LARGEST_TREE >> 20} MiB or {MOST_FILES} files")
    except OSError as error:
        raise DataError(f"{folder}: {error}") from error
    return tree


def write_tree(folder: Path, tree: Mapping[str, File]) -> None:
    """Make `folder` (new, or empty) with `tree` in it, whole or not at all. Raises DataError."""
    refuse_unsafe(folder, tree)
    try:
        if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
            raise DataError(f"{folder}: is there already")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name[:40]}.") as workshop:
            made = Path(workshop) / "made"
            made.mkdir()
            for path, file in tree.items():
                _write(made / path, path, file)
            if folder.exists():
                folder.rmdir()
            shutil.move(made, folder)
    except (OSError, ValueError) as error:
        raise DataError(f"{folder}: {error}") from error


def _walk(folder: Path, above: str) -> Iterator[tuple[str, os.DirEntry[str] | None]]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    if not entries and above:
        yield above, None
    for entry in entries:
        path = above + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder / entry.name, f"{path}/")
        else:
            yield path, entry


def _read(root: Path, path: str, entry: os.DirEntry[str] | None, free_links: Collection[str]) -> File:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{root}: a file's name is no UTF-8: {path!r}") from error
    if entry is None:
        return File()
    if entry.is_symlink():
        target = str(Path(entry.path).readlink())
        if path not in free_links and not _inside(root, Path(entry.path)):
            raise DataError(f"{root}: {path} is a link out of the folder, to {target}")
        return File(link=target)
    status = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{root}: {path} is neither file, folder nor link")
    if status.st_size > LARGEST_FILE:
        raise DataError(f"{root}: {path} has {status.st_size:,} bytes; at most {LARGEST_FILE >> 20} MiB a file")
    with os.fdopen(os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return File(data=file.read(LARGEST_FILE), mode=stat.S_IMODE(status.st_mode))


def _inside(root: Path, link: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root.resolve())
    except RuntimeError:  # a loop of links
        return False


def refuse_unsafe(folder: Path | str, tree: Mapping[str, File]) -> None:
    """Raise DataError where a path would leave the folder, or lies below a file or a link of the same tree."""
    for path in tree:
        parts = path.removesuffix("/").split("/")
        if "\0" in path or any(part in ("", ".", "..") for part in parts):
            raise DataError(f"{folder}: not a plain path: {path!r}")
        for depth in range(1, len(parts)):
            above = "/".join(parts[:depth])
            if above in tree:
                kind = "a link" if tree[above].link is not None else "a file"
                raise DataError(f"{folder}: {path!r} lies below {above!r}, which is {kind}")


def _write(target: Path, path: str, file: File) -> None:
    if path.endswith("/"):
        target.mkdir(parents=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.link is not None:
        target.symlink_to(file.link)
        return
    target.write_bytes(file.data)
    target.chmod(file.mode | stat.S_IRUSR)  # or nobody but root could read the folder again
