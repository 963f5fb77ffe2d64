"""A patch of somebody's is applied to files in memory, by git and exactly."""

from __future__ import annotations

import tempfile
from pathlib import Path

from datafactory.formats.diff_paths import diff_paths
from datafactory.types import File, Files
from generators.swe.mutations import diff
from generators.swe.sources.git import GitFailed, git

Change = dict[str, File | None]
"""What becomes of files, by relative path; None: there is none afterwards."""


class PatchFailed(ValueError):
    """The patch does not fit the files, or is of a kind that is not taken."""


def changed(files: Files, change: Change) -> Files:
    """The files with a change."""
    made = {path: file for path, file in files.items() if change.get(path, file) is not None}
    return made | {path: file for path, file in change.items() if file is not None}


def between(before: Files, after: Files) -> Change:
    """What turns `before` into `after`; a file whose mode alone differs counts too."""
    fresh: Change = {path: file for path, file in after.items() if before.get(path) != file}
    return fresh | {path: None for path in before if path not in after}


def patch_of(before: Files, change: Change) -> str:
    """A patch for `git apply` that makes the change; bytes that are no UTF-8 are replaced, and fit nothing."""
    sides = [
        (path, before[path].data if path in before else None, None if file is None else file.data)
        for path, file in sorted(change.items())
    ]
    return b"".join(diff(*side) for side in sides).decode(errors="replace")


def applied(files: Files, patch: str, *, reverse: bool = False) -> Change:
    """What a patch for `git apply` makes of files; renames and binary files are read too. Empty: nothing changes.

    Hunks may have moved, and fit exactly otherwise. Raises PatchFailed, also for a patch of links, and SourceError
    where there is no git.
    """
    if not patch.strip():
        return {}
    paths = sorted(diff_paths(patch))
    if any(path.startswith("/") or {"", ".", "..", ".git"} & set(path.split("/")) for path in paths):
        raise PatchFailed("it names files outside of the repository")
    with tempfile.TemporaryDirectory(prefix="datafactory-patch-") as top:
        folder = Path(top) / "files"
        folder.mkdir()
        for path in paths:
            _laid(folder / path, files.get(path))
        (Path(top) / "patch").write_text(patch if patch.endswith("\n") else f"{patch}\n", encoding="utf-8", newline="")
        arguments = ("apply", "--whitespace=nowarn", *(("--reverse",) if reverse else ()), str(Path(top) / "patch"))
        try:
            # Inside of somebody's repository git would pass over what lies outside of it, and say nothing.
            git(folder, *arguments, env={"GIT_CEILING_DIRECTORIES": str(Path(top).resolve())})
        except GitFailed as error:
            raise PatchFailed(str(error)[-1000:].replace(top, "")) from error
        after = {path: file for path in paths if (file := _read(folder / path, path)) is not None}
    return between({path: files[path] for path in paths if path in files}, after)


def _laid(place: Path, file: File | None) -> None:
    if file is None:
        return
    if file.link is not None:
        raise PatchFailed("it changes a link")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(file.data)
    place.chmod(file.mode & 0o777 | 0o600)


def _read(place: Path, path: str) -> File | None:
    if place.is_symlink():
        raise PatchFailed(f"it makes a link of {path}")
    return (
        File(data=place.read_bytes(), mode=0o755 if place.stat().st_mode & 0o100 else 0o644)
        if place.is_file()
        else None
    )
