"""A folder of this machine becomes files: one of its commits, or what lies there now."""

from __future__ import annotations

import os
import stat
from fnmatch import fnmatch
from pathlib import Path

from datafactory.types import File, Files
from generators.swe.sources.fault import SourceError
from generators.swe.sources.git import GitFailed, git, read_tree
from generators.swe.sources.tree import check_size, noted

ANYWHERE = (".git", "__pycache__", ".venv", ".tox", "node_modules", "*.egg-info", "*.pyc")
"""What is never a source, where there is no git to say so."""
AT_TOP = ("build", "dist")
"""What tools write into the top folder; deeper down these are names of packages."""


def commit_of(folder: Path, revision: str) -> str:
    """The full commit that `revision` (any of git's ways to write it that has no `^`, `~` or `:`) names in a
    repository. Raises SourceError."""
    try:
        git(folder, "rev-parse", "--git-dir")
    except GitFailed as error:
        raise SourceError(
            "git", f"{folder} is no git repository, so there is no {revision!r} in it ({error})"
        ) from error
    try:
        found = git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except GitFailed as error:
        raise SourceError("git", f"{folder} has no commit, tag or branch {revision!r}") from error
    return found.decode().split()[-1]


def heads(folder: Path) -> list[Path]:
    """The files in which git keeps where HEAD and the branches of a repository stand; none: it is no repository."""
    try:
        places = [git(folder, "rev-parse", name).decode().strip() for name in ("--git-dir", "--git-common-dir")]
    except GitFailed:
        return []
    own, common = (folder / place for place in places)
    branches = sorted(path for path in (common / "refs" / "heads").rglob("*") if path.is_file())
    return [path for path in (own / "HEAD", common / "packed-refs", *branches) if path.is_file()]


def at_commit(folder: Path, revision: str) -> tuple[str, Files, list[str]]:
    """The full commit that `revision` names in a repository, its files, and notes. The work tree is not looked at.
    Raises SourceError."""
    commit = commit_of(folder, revision)
    try:
        return commit, *read_tree(folder, commit)
    except GitFailed as error:
        said = "it is a partial clone, which lacks the content; clone it whole" if "promisor" in str(error) else error
        raise SourceError("git", f"{folder} at {commit[:12]}: {said}") from error


def as_it_lies(folder: Path) -> tuple[Files, list[str]]:
    """The files of a folder as they are now, committed or not, and notes. Raises SourceError."""
    try:
        paths, notes = listed(folder)
        found = {path: (folder / path).lstat() for path in paths}
        check_size({path: facts.st_size for path, facts in found.items()})
        return {path: _read(folder / path, facts) for path, facts in found.items()}, notes
    except OSError as error:
        raise SourceError("folder", f"{error.filename or folder} cannot be read: {error.strerror}") from error


def _read(here: Path, facts: os.stat_result) -> File:
    if stat.S_ISLNK(facts.st_mode):
        return File(link=str(here.readlink()))
    return File(data=here.read_bytes(), mode=facts.st_mode & 0o777)


def listed(folder: Path) -> tuple[list[str], list[str]]:
    """Relative paths of the files and links that count, in order, and notes on what does not.

    Where the folder itself has a `.git`: what git tracks, and what is new and not ignored. Else all but `ANYWHERE`
    and `AT_TOP`. Pipes, sockets and devices are left out.
    """
    paths = _tracked(folder) if (folder / ".git").exists() else _walked(folder)
    kept, odd, inner = [], [], []
    for path in sorted(set(paths)):
        here = folder / path
        if here.is_symlink() or here.is_file():
            kept.append(path)
        elif here.is_dir():
            inner.append(path.rstrip("/"))
        elif here.exists():
            odd.append(path)
    notes = [noted("repositories inside it (submodules) were not brought", inner)] if inner else []
    return kept, notes + ([noted("left out, neither files nor links", odd)] if odd else [])


def _tracked(folder: Path) -> list[str]:
    try:
        said = git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except GitFailed as error:
        raise SourceError("git", f"{folder} has a .git, but git cannot read it ({error})") from error
    return [name.decode(errors="surrogateescape") for name in said.split(b"\0")[:-1]]


def _walked(folder: Path) -> list[str]:
    found = []
    for top, folders, names in os.walk(folder):
        at_top = AT_TOP if Path(top) == folder else ()
        left = [name for name in folders if not _unwanted(name, at_top)]
        folders[:] = [name for name in left if not (Path(top) / name).is_symlink()]
        links = [name for name in left if (Path(top) / name).is_symlink()]
        files = [name for name in names if not _unwanted(name)]
        found += [(Path(top) / name).relative_to(folder).as_posix() for name in files + links]
    return found


def _unwanted(name: str, at_top: tuple[str, ...] = ()) -> bool:
    return any(fnmatch(name, pattern) for pattern in (*ANYWHERE, *at_top))
