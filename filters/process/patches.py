"""What a patch changes, file by file, and whether a file that an action names is one of them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_TEST = re.compile(
    r"(?:^|/)(?:tests?|testing|__tests__|spec)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest|[^/]*\.(?:test|spec))\.\w+$"
)
_PROSE = re.compile(
    r"\.(?:md|rst|txt|adoc)$|(?:^|/)(?:CHANGE\w*|NEWS|README\w*|AUTHORS|LICEN[CS]E)\b[^/]*$", re.IGNORECASE
)


@dataclass(slots=True)
class FilePatch:
    """The lines of one file's hunks, without the sign before them."""

    path: str
    new: bool = False
    """Whether the patch makes the file."""
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    around: list[str] = field(default_factory=list)
    """Lines that stay as they are."""


def files_of(diff: str) -> list[FilePatch]:
    """The files of a diff as git makes it; content is never taken for a head. Never raises."""
    return list(_files(diff.split("\n")))


def _files(lines: list[str]) -> Iterator[FilePatch]:
    made: FilePatch | None = None
    old = new = 0
    was = ""
    for line in lines:
        if (old > 0 or new > 0) and made is not None:
            kind = line[:1]
            (made.added if kind == "+" else made.removed if kind == "-" else made.around).append(line[1:])
            old -= kind in ("-", " ", "")
            new -= kind in ("+", " ", "")
        elif head := _HUNK.match(line):
            old, new = (1 if count is None else int(count) for count in head.groups())
        elif line.startswith("--- "):
            was = line[4:].split("\t")[0]
        elif line.startswith("+++ "):
            if made is not None:
                yield made
            now = line[4:].split("\t")[0]
            gone = now == "/dev/null"
            made = FilePatch((was if gone else now).strip('"').partition("/")[2], new=was == "/dev/null")
    if made is not None:
        yield made


def is_test(path: str) -> bool:
    """Whether a file is one of tests, by its name or its folder's."""
    return _TEST.search(path) is not None


def is_prose(path: str) -> bool:
    """Whether a file is for people to read: no program changes with it."""
    return _PROSE.search(path) is not None


def same_file(named: str, path: str) -> bool:
    """Whether a name that an agent used, absolute or from whatever folder, may be that of the repository's `path`."""
    plain = posixpath.normpath(named) if named else ""
    return bool(plain) and (plain == path or plain.endswith(f"/{path}") or path.endswith(f"/{plain.lstrip('./')}"))


def among(named: str, paths: Iterable[str]) -> bool:
    """Whether a name may be that of one of the repository's `paths`."""
    return any(same_file(named, path) for path in paths)
