"""A folder of files whose links are paths: which files are pages, and which of them a link means."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import ClassVar
from urllib.parse import unquote, urljoin, urlsplit

from pydantic import Field

from datafactory.corpora.markup import Split
from datafactory.corpora.spec import CorpusSpec, Item, RawPage, Redirect, Unread
from datafactory.errors import DataError

_HERE = "http://corpus.invalid/"
_LARGEST = 64 << 20
"""Bytes of a file that is still read."""


class TreeSpec(CorpusSpec):
    """The keys of sources that are folders."""

    place_key: ClassVar[str] = "folder"
    endings: ClassVar[tuple[str, ...]]
    """How names of files end that are pages."""
    indexes: ClassVar[tuple[str, ...]]
    """Names of the file that a link to a folder means."""

    folder: Path
    """The folder; folders within it are read too, links to folders are not followed."""
    address: str = Field(default="", pattern=r"^(https?://.+/)?$")
    """What stands before every path, such as `https://docs.python.org/3.11/`: then links with it are links within the
    corpus. Empty: urls are paths."""
    split: Split = "heading"
    """`heading`: each section, and each named entry of a definition list (a function, a class, a term), is a page of
    its own, `file.html#name`; `page`: a file is a page."""
    least_words: int = Field(default=12, ge=1)
    """A section with fewer words of its own stays in the one around it."""
    exclude: tuple[str, ...] = ()
    """Patterns of paths that are left out, such as `genindex*`."""

    def problems(self) -> Iterable[str]:
        """A folder that is not there, or has no such files."""
        if not self.folder.is_dir():
            yield f"folder: {self.folder} {'is no folder' if self.folder.exists() else 'does not exist'}"
        elif next(iter(self.inputs()), None) is None:
            yield f"folder: no {', '.join(self.endings)} in {self.folder}"

    def inputs(self) -> Iterable[Path]:
        """The files, by path."""
        return (self.folder / path for path in self._paths())

    def origin(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    def pages(self) -> Iterator[Item]:
        """The pages of each file, in order of the paths."""
        tree = Tree(self.folder, list(self._paths()), self.address, self.indexes, self.endings)
        for path in tree.paths:
            place = str(self.folder / path)
            if (target := tree.other(path)) is not None:
                yield Redirect(tree.url(path), tree.url(target), place)
                continue
            try:
                data = (self.folder / path).read_bytes() if (self.folder / path).stat().st_size <= _LARGEST else None
            except OSError as error:
                raise DataError(f"{place}: cannot be read ({error.strerror})") from error
            if data is None:
                yield Unread(place, "too_long", f"more than {_LARGEST:,} bytes")
            else:
                yield from self.read(data, path, tree)

    def read(self, data: bytes, path: str, tree: Tree) -> Iterator[Item]:
        """The pages of one file."""
        raise NotImplementedError

    def _paths(self) -> Iterator[str]:
        for at, folders, names in os.walk(self.folder):
            folders.sort()
            above = os.path.relpath(at, self.folder).replace(os.sep, "/")
            for name in sorted(names):
                path = name if above == "." else f"{above}/{name}"
                if name.lower().endswith(self.endings) and not self._left_out(path):
                    yield path

    def _left_out(self, path: str) -> bool:
        return any(fnmatch.fnmatchcase(path, pattern) for pattern in self.exclude)


class Tree:
    """The paths of the files of a folder, and what links between them mean."""

    def __init__(
        self, folder: Path, paths: list[str], address: str, indexes: tuple[str, ...], endings: tuple[str, ...]
    ) -> None:
        self.paths = paths
        self._folder, self._address, self._indexes, self._endings = folder.resolve(), address, indexes, endings
        self._known = {path: path for path in paths}
        for path in paths:
            self._known.setdefault(path.casefold(), path)

    def url(self, path: str) -> str:
        """The url of a file."""
        return self._address + path

    def named(self, pages: Iterable[RawPage], path: str) -> Iterator[RawPage]:
        """The pages of a file; the first one of an index file is also called as its folder."""
        above, _, name = path.rpartition("/")
        folder = self._address + above if name in self._indexes else ""
        for page in pages:
            yield replace(page, aliases=(*page.aliases, folder)) if folder else page
            folder = ""

    def other(self, path: str) -> str | None:
        """The file that it is a symbolic link to, if that is a page of the tree."""
        if not (self._folder / path).is_symlink():
            return None
        target = (self._folder / path).resolve()
        inside = target.relative_to(self._folder).as_posix() if target.is_relative_to(self._folder) else ""
        return inside if inside != path and self._known.get(inside) == inside else None

    def resolve(self, path: str, href: str, base: str = "") -> str | None:
        """The url that a link in the file `path` means, its fragment kept; None: it leads out of the tree. `base`: what
        the links of that file are relative to, if it says so."""
        href = href.strip()
        if self._address and href.lower().startswith(self._address.lower()):
            href = _HERE + href[len(self._address) :]
        try:
            target = urlsplit(urljoin(urljoin(_HERE + path, base), href.replace("\\", "/")))
        except ValueError:  # such as an address with half a bracket
            return None
        if f"{target.scheme}://{target.netloc}/" != _HERE:
            return None
        found = self._file(unquote(target.path).lstrip("/"))
        if found is None:
            return None
        fragment = unquote(target.fragment)
        return self.url(found) + (f"#{fragment}" if fragment else "")

    def named_as(self, name: str, fragment: str = "") -> str | None:
        """The url of the file of that name, in whatever folder: what a wiki's links mean."""
        found = self._stems.get(_stem(name))
        return self.url(found) + fragment if found else None

    @cached_property
    def _stems(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in self.paths:
            found.setdefault(_stem(path), path)
        return found

    def _file(self, path: str) -> str | None:
        tries = [f"{path.rstrip('/')}/{name}".lstrip("/") for name in self._indexes]
        if path and not path.endswith("/"):
            bare, _, ending = path.rpartition(".")
            tries = [path, *tries, *(path + each for each in self._endings)]
            if ending in ("html", "htm"):  # links that are meant for the site that is made of the files
                tries += [bare + each for each in self._endings]
        for each in tries:
            if (found := self._known.get(each) or self._known.get(each.casefold())) is not None:
                return found
        return None


def _stem(path: str) -> str:
    return PurePosixPath(path).stem.casefold().replace("_", " ").replace("-", " ")
