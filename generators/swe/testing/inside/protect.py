"""Files of a repository that no patch may decide: tests, and whatever Python or pytest load as configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

_NAMES = {
    "conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg",
    "pyproject.toml", "sitecustomize.py", "usercustomize.py",
}  # fmt: skip
_TESTS = {"test", "tests"}


class Protected:
    """What such files hold, from before a patch was applied."""

    def __init__(self, folder: Path, tests: Iterable[str]) -> None:
        """`tests`: files (relative paths) that hold tests which count. A folder above them that is called ``test`` or
        ``tests`` is protected with all that is in it."""
        self._folder = folder
        self._tests = set(tests)
        self._roots = {root for root in map(_test_folder, self._tests) if root}
        self._kept = {name: self._state(name) for name in self._found()}

    def restore(self) -> None:
        """Put back what was changed or removed, and remove what was added."""
        for name in self._found():
            if name not in self._kept:
                (self._folder / name).unlink()
        for name, state in self._kept.items():
            if self._state(name) != state:
                data, mode, link = state
                path = self._clear(name)
                if link:
                    path.symlink_to(link)
                else:
                    path.write_bytes(data)
                    path.chmod(mode)

    def write(self, files: dict[str, tuple[bytes, int]]) -> None:
        """Put files (content and permission bits by relative path) over what is there."""
        for name, (data, mode) in files.items():
            path = self._clear(name)
            path.write_bytes(data)
            path.chmod(mode)

    def _clear(self, name: str) -> Path:
        """Make way for a file: a link above it would lead elsewhere, and a file above it is in the way."""
        path = self._folder / name
        for above in reversed(path.relative_to(self._folder).parents):
            place = self._folder / above
            if place != self._folder and (place.is_symlink() or place.is_file()):
                place.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or path.is_file():
            path.unlink()
        return path

    def _found(self) -> list[str]:
        found = []
        for above, folders, names in os.walk(self._folder):
            if ".git" in folders:
                folders.remove(".git")
            links = [name for name in folders if Path(above, name).is_symlink()]
            found += [Path(above, name).relative_to(self._folder).as_posix() for name in [*names, *links]]
        return [name for name in found if self._covers(PurePosixPath(name))]

    def _covers(self, path: PurePosixPath) -> bool:
        metadata = any(part.endswith((".egg-info", ".dist-info")) for part in path.parts)
        tests = str(path) in self._tests or any(PurePosixPath(root) in (path, *path.parents) for root in self._roots)
        return path.name in _NAMES or path.suffix == ".pth" or metadata or tests

    def _state(self, name: str) -> tuple[bytes, int, str]:
        path = self._folder / name
        if path.is_symlink():
            return b"", 0, str(path.readlink())
        return (path.read_bytes(), path.stat().st_mode & 0o7777, "") if path.is_file() else (b"", -1, "")


def _test_folder(file: str) -> str:
    parts = PurePosixPath(file).parts[:-1]
    return next(("/".join(parts[: at + 1]) for at, part in enumerate(parts) if part in _TESTS), "")
