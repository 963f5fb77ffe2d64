"""What may lie in a repository's tree: limits, names that stay inside, links that stay inside."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping

from datafactory.types import Files
from generators.swe.sources.fault import SourceError

LIMIT = 512 << 20
"""Bytes of files in all: they are held in memory, and brought into every box."""
_HOPS = 40
"""Links on the way to a file before Linux takes them for a loop (path_resolution(7))."""
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
"""How a file begins that git LFS left instead of the content (its specification)."""
_POINTER_SIZE = 1024
_SHOWN = 5


def check_size(sizes: Mapping[str, int]) -> None:
    """Raises SourceError with the largest folders where files (path -> bytes) are more than `LIMIT` in all."""
    total = sum(sizes.values())
    if total <= LIMIT:
        return
    folders: Counter[str] = Counter()
    for path, size in sizes.items():
        folders["/".join(path.split("/")[:-1][:2]) or "."] += size
    largest = ", ".join(f"{folder} ({size / (1 << 20):.0f} MiB)" for folder, size in folders.most_common(3))
    raise SourceError(
        "limits",
        f"the files come to {total / (1 << 20):.0f} MiB or more, the limit is {LIMIT >> 20} MiB; the largest folders: "
        f"{largest}. Take another version, or a folder from which you left them out",
    )


def check_paths(files: Files) -> None:
    """Raises SourceError for a path out of the tree, or one that goes through a file or a link: no honest tool makes
    those."""
    for path in files:
        parts = path.split("/")
        if {"", ".", ".."} & set(parts) or "\0" in path:
            raise SourceError("unpack", f"{path!r} would lie outside of the repository: this is no honest archive")
        if through := next((p for n in range(1, len(parts)) if (p := "/".join(parts[:n])) in files), None):
            raise SourceError("unpack", f"{path!r} lies in {through!r}, which is no folder: this is no honest archive")


def settled(files: Files) -> tuple[Files, list[str]]:
    """Files (relative paths) in the order of their names, and notes on those that were left out.

    Left out are names that are no UTF-8, what lies in a `.git`, and links out of the tree. Raises SourceError as
    `check_paths` does.
    """
    check_paths(files)
    notes: dict[str, list[str]] = {}
    links = {path: file.link for path, file in files.items() if file.link is not None}
    kept: Files = {}
    for path, file in sorted(files.items()):
        if not _is_text(path + (file.link or "")):
            notes.setdefault("left out, names are not UTF-8", []).append(ascii(path))
        elif ".git" in path.split("/"):
            notes.setdefault("left out, part of a .git", []).append(path)
        elif file.link is not None and _leaves(path, links):
            notes.setdefault("left out, links that point outside", []).append(f"{path} -> {file.link}")
        else:
            kept[path] = file
    if pointers := [path for path, file in kept.items() if is_pointer(file.data)]:
        notes["are git LFS pointers, not the content"] = pointers
    return kept, [noted(what, paths) for what, paths in notes.items()]


def noted(what: str, paths: list[str]) -> str:
    """A note: how many, what, and the first few."""
    more = f", … ({len(paths) - _SHOWN} more)" if len(paths) > _SHOWN else ""
    return f"{len(paths)} {what}: {', '.join(paths[:_SHOWN])}{more}"


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_pointer(data: bytes) -> bool:
    """Whether a file is what git LFS leaves instead of the content."""
    return len(data) < _POINTER_SIZE and data.startswith(_POINTER)


def _leaves(path: str, links: Mapping[str, str]) -> bool:
    """Whether a link, followed as the kernel would, ever steps out of the tree."""
    here = path.split("/")[:-1]
    ahead = links[path].split("/")[::-1]
    if links[path].startswith("/"):
        return True
    hops = 0
    while ahead:
        part = ahead.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not here:
                return True
            here.pop()
            continue
        here.append(part)
        target = links.get("/".join(here))
        if target is None:
            continue
        hops += 1
        if target.startswith("/") or hops > _HOPS:
            return True
        here.pop()
        ahead += target.split("/")[::-1]
    return False


def digest(files: Files) -> str:
    """SHA-256 (hex) over paths, modes, links and contents, whatever the order they come in."""
    whole = hashlib.sha256()
    for path, file in sorted(files.items()):
        kind = f"link {file.link}" if file.link is not None else f"{file.mode:04o}"
        for part in (path.encode(), kind.encode(), hashlib.sha256(file.data).digest()):
            whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()
