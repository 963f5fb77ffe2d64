"""Set-ups for the commits of a history: one serves all that are near to it and require the same."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from datafactory.protocols import SandboxHost
from datafactory.types import Reject, digest_of
from generators.swe.environment import SetUpFailed, set_up
from generators.swe.environment.suite import FOLDERS
from generators.swe.known.commits.choose import Candidate, is_prose
from generators.swe.known.fixes import Ground
from generators.swe.repositories import log_of
from generators.swe.sources import History, SourceError
from generators.swe.sources.history import Entry

NEAR = 256 << 10
"""Bytes of the files that may differ from those that were set up: every task carries them."""
NEAR_FILES = 100
"""Files that may differ, those included that are gone."""
_log = logging.getLogger(__name__)


class Grounds:
    """Sets up what candidates need, when it is first needed; see `of`."""

    def __init__(self, host: SandboxHost, history: History, nearest: Mapping[str, str], folder: Path) -> None:
        self._host = host
        self._history = history
        self._nearest = nearest
        self._folder = folder
        self._turns: dict[str, asyncio.Lock] = {}
        self._unfit: dict[str, SetUpFailed | SourceError] = {}

    async def of(self, candidate: Candidate) -> Ground | Reject:
        """Where the tests of a candidate can be run: an older commit that requires the same, or the one that the
        candidate mends. Rejects `unfit_<step>`. Raises SandboxError, SourceError."""
        own = candidate.commit.parent
        failed = None
        for commit in dict.fromkeys((self._nearest.get(own, own), own)):
            async with self._turns.setdefault(commit, asyncio.Lock()):
                failed = self._unfit.get(commit)
                if failed is not None:
                    continue
                try:
                    checkout = await asyncio.to_thread(self._history.checkout, commit)
                    return Ground(checkout, await set_up(self._host, checkout, folder=self._folder))
                except (SetUpFailed, SourceError) as error:
                    if not error.final:
                        raise
                    _log.info("%s at %s cannot be set up: %s", self._history.name, commit[:12], error)
                    failed = self._unfit[commit] = error
        assert failed is not None
        return Reject(reason=f"unfit_{failed.step}", detail=f"{failed}\n{log_of(failed)}".strip())


def nearest(history: History, candidates: Sequence[Candidate]) -> dict[str, str]:
    """For each commit that a candidate mends, the one to set up: the oldest that is near enough and requires the same.

    Never a younger one: what is installed tells of a repository at that time (its README, its changes). Raises
    SourceError.
    """
    found: dict[str, str] = {}
    last: dict[str, str] = {}
    trees: dict[str, dict[str, Entry]] = {}
    for candidate in reversed(candidates):
        parent = candidate.commit.parent
        tree = history.tree(parent)
        key = _required(tree)
        there = last.get(key)
        if there is None or not _near(trees[there], tree):
            there = last[key] = parent
            trees[there] = tree
        found.setdefault(parent, there)
    return found


def _required(tree: Mapping[str, Entry]) -> str:
    """Digest of all that a build or its requirements may come from, and of the packages at the top."""
    decides = {path: entry.id for path, entry in tree.items() if _decides(path)}
    packages = [path.removesuffix("/__init__.py") for path in tree if path.endswith("/__init__.py")]
    return digest_of([decides, sorted(path for path in packages if "/" not in path.removeprefix("src/"))])


def _decides(path: str) -> bool:
    pure = PurePosixPath(path)
    if is_prose(path) or not FOLDERS.isdisjoint(pure.parts[:-1]):
        return False
    return pure.suffix != ".py" or path == "setup.py"


def _near(one: Mapping[str, Entry], other: Mapping[str, Entry]) -> bool:
    differ = [path for path, entry in other.items() if one.get(path, entry) != entry or path not in one]
    gone = [path for path in one if path not in other]
    # A box is given files before any are taken away: none may lie where a file is, or be where a folder is.
    stacked = any(_is_below(path, one) for path in differ) or any(_is_below(path, other) for path in gone)
    near = len(differ) + len(gone) <= NEAR_FILES and sum(other[path].size for path in differ) <= NEAR
    return near and not stacked


def _is_below(path: str, files: Mapping[str, Entry]) -> bool:
    return any(str(above) in files for above in PurePosixPath(path).parents)
