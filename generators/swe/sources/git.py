"""Git, asked in a way in which no repository's hooks or settings run anything."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from datafactory.types import File, Files
from generators.swe.sources.address import SCHEMES
from generators.swe.sources.fault import SourceError
from generators.swe.sources.tree import check_size, noted

_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "safe.directory": "*",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
"""Win over what a repository says. `safe.directory` may be wide because the rest leaves nothing that would be run."""
_KEPT = ("GIT_SSH", "GIT_SSL_", "GIT_ASKPASS", "GIT_PROXY_", "GIT_CONFIG_GLOBAL")
"""Variables of git's that are the user's; others (a hook sets GIT_DIR and GIT_INDEX_FILE) would point elsewhere."""
_LOCAL_SECONDS = 300.0
_MODES = {"100644": 0o644, "100664": 0o644, "100755": 0o755}


class GitFailed(Exception):
    """Git ended with an error; the text is what it said."""


def git(folder: Path, *arguments: str, remote: bool = False, env: Mapping[str, str] = {}, seconds: float = 0) -> bytes:
    """What git prints, run in `folder`. Unless `remote`, it can reach nothing beyond the folder's own objects.

    Raises GitFailed where git ends with an error, SourceError where it is missing or takes longer than `seconds`.
    """
    limit = seconds or _LOCAL_SECONDS
    try:
        done = subprocess.run(
            _line(folder, arguments),
            env={**_environment(remote), **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            start_new_session=True,  # without a terminal nobody is asked for a password
        )
    except FileNotFoundError as error:
        raise SourceError("git", f"git is not to be found here: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise SourceError("git", f"git {arguments[0]} took longer than {limit:.0f} s", final=False) from error
    if done.returncode:
        raise GitFailed(done.stderr.decode(errors="replace").strip() or f"git {arguments[0]}: {done.returncode}")
    return done.stdout


def _line(folder: Path, arguments: Sequence[str]) -> list[str]:
    settings = [part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")]
    return ["git", "-C", str(folder), "--no-replace-objects", *settings, *arguments]


def _environment(remote: bool) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key.startswith(_KEPT)}
    return {
        **kept,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "0" if remote else "1",
        "GIT_ALLOW_PROTOCOL": ":".join(SCHEMES) if remote else "none",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def read_tree(folder: Path, commit: str) -> tuple[Files, list[str]]:
    """The files of a commit, byte for byte (no attribute is obeyed), and notes; in a subfolder of a repository, that
    folder's. Sizes are looked at first. Raises GitFailed, and SourceError past the limit."""
    blobs: dict[str, tuple[str, str]] = {}
    sizes: dict[str, int] = {}
    submodules = []
    for entry in git(folder, "ls-tree", "-r", "-z", "-l", commit).split(b"\0")[:-1]:
        facts, _, name = entry.partition(b"\t")
        mode, kind, sha, size = facts.decode().split()
        path = name.decode(errors="surrogateescape")
        if kind == "commit":
            submodules.append(path)
        else:
            blobs[path] = (mode, sha)
            sizes[path] = int(size)
    check_size(sizes)
    contents = _contents(folder, [sha for _, sha in blobs.values()])
    files: Files = {}
    for (path, (mode, _)), data in zip(blobs.items(), contents, strict=True):
        if mode == "120000":
            files[path] = File(link=data.decode(errors="surrogateescape"))
        else:
            files[path] = File(data=data, mode=_MODES.get(mode, 0o644))
    return files, [noted("submodules were not brought", submodules)] if submodules else []


def _contents(folder: Path, blobs: Sequence[str]) -> list[bytes]:
    """Contents of blobs, in their order, from one process."""
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{sha}\n" for sha in blobs).encode())
        asked.seek(0)
        line = _line(folder, ("cat-file", "--batch"))
        with subprocess.Popen(line, env=_environment(False), stdin=asked, stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            found = []
            for sha in blobs:
                head = running.stdout.readline().split()
                if len(head) != 3 or head[1] != b"blob":
                    running.kill()
                    raise GitFailed(f"the repository lacks the content {sha} (a partial clone?): {head!r}")
                found.append(running.stdout.read(int(head[2]) + 1)[:-1])
    return found
