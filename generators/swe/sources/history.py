"""The commits of a repository, and the files of any of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from generators.swe.sources import git, remote
from generators.swe.sources.address import Address, Package
from generators.swe.sources.checkout import Checkout, checked, refuse, tagged
from generators.swe.sources.fault import SourceError
from generators.swe.sources.repository import Repository

_HEAD = re.compile(r"([0-9a-f]{40,64}) (\d+) ?([0-9a-f ]*)")
_FILE_MODES = {"100644", "100664", "100755", "000000"}
"""What git says of regular files, and of a side on which there is none."""


@dataclass(frozen=True)
class Touched:
    """What a commit does to one file."""

    path: str
    lines: int
    """Added and removed; of a binary file 0."""
    plain: bool
    """Whether it is a regular file before and after, as far as it is there: no link, no submodule."""


@dataclass(frozen=True)
class Commit:
    """A commit with one parent."""

    id: str
    parent: str
    at: str
    """When it was committed: ISO 8601, UTC."""
    touched: tuple[Touched, ...] = field(repr=False)


class Entry(NamedTuple):
    """A file of a commit, without its content."""

    id: str
    """Its mode and its content's id, as git has them."""
    size: int
    """In bytes."""


@dataclass(frozen=True)
class History:
    """A repository with its commits, on this machine."""

    repository: Repository
    name: str
    """As `Checkout.name`."""
    folder: Path
    head: str
    """The full commit to begin at."""
    version: str
    """That the revision's tag names; "" : none."""

    def commits(self, most: int) -> list[Commit]:
        """Those with one parent among the `most` newest from `head` on, newest first. Raises SourceError."""
        options = ["--raw", "--numstat", "--no-abbrev", "--no-renames", "--relative", "--no-diff-merges"]
        # What a repository's settings name as programs is not asked.
        options += ["--no-ext-diff", "--no-textconv", "--no-show-signature", "--no-color", "--no-decorate"]
        said = self._git("log", "-z", f"--max-count={most}", "--format=%H %ct %P", *options, self.head, "--")
        return list(_read(said.decode(errors="surrogateescape")))

    def message(self, commit: str) -> tuple[str, tuple[str, ...]]:
        """What a commit says, and the names and addresses of who wrote and who committed it. Raises SourceError."""
        form = "--format=%an%x00%ae%x00%cn%x00%ce%x00%B"
        said = self._git("log", "--max-count=1", "--no-show-signature", "--no-patch", form, commit, "--")
        *people, text = said.decode(errors="replace").split("\0", 4)
        return text.strip(), tuple(dict.fromkeys(person for person in people if person))

    def tree(self, commit: str) -> dict[str, Entry]:
        """The files and links of a commit, by path. Raises SourceError."""
        found = {}
        for entry in self._git("ls-tree", "-r", "-z", "-l", commit).split(b"\0")[:-1]:
            facts, _, name = entry.partition(b"\t")
            mode, kind, blob, size = facts.decode().split()
            if kind == "blob":
                found[name.decode(errors="surrogateescape")] = Entry(f"{mode} {blob}", int(size))
        return found

    def checkout(self, commit: str) -> Checkout:
        """The files of a commit (its full name). Raises SourceError."""
        try:
            files, notes = git.read_tree(self.folder, commit)
        except git.GitFailed as error:
            raise SourceError("git", f"{self.repository.at} at {commit[:12]}: {error}") from error
        version = self.version if commit == self.head else ""
        return checked(self.repository, self.name, version, commit, files, notes)

    def _git(self, *arguments: str) -> bytes:
        try:
            return git.git(self.folder, *arguments)
        except git.GitFailed as error:
            raise SourceError("git", f"{self.repository.at}: {error}") from error


def fetch_history(repository: Repository, cache: Path, depth: int) -> History:
    """The commits of a repository, so far back as is not more than `depth` commits away; none of its code is run.
    Blocking. `cache` as `fetch`. What is no address is a path to a git repository; without a revision, from its HEAD.

    Raises SourceError, which says at which step, and the way out.
    """
    refuse(repository)
    named = repository.named
    if isinstance(named, Package):
        raise SourceError("git", f"{repository.at} is a package, which has no history; name its git repository")
    if isinstance(named, Address):
        folder, commit = remote.bring(named, cache, depth)
        return History(repository, remote.name_of(named.url), folder, commit, tagged(named.revision))
    from generators.swe.sources import folder as folders

    place = Path(named.path).expanduser().resolve()
    commit = folders.commit_of(place, named.revision or "HEAD")
    return History(repository, place.name.removesuffix(".git"), place, commit, tagged(named.revision))


def _read(said: str) -> list[Commit]:
    """What `git log -z --raw --numstat` says: a head, then lines of either kind, each word ended by a NUL."""
    found: list[Commit] = []
    plain: dict[str, bool] = {}
    words = (word.lstrip("\n") for word in said.split("\0"))
    for word in words:
        if head := _HEAD.fullmatch(word):
            parents = head[3].split()
            at = datetime.fromtimestamp(int(head[2]), UTC).isoformat()
            found.append(Commit(head[1], parents[0] if len(parents) == 1 else "", at, ()))
            plain = {}
        elif word.startswith(":"):
            plain[next(words)] = set(word[1:].split(" ")[:2]) <= _FILE_MODES
        elif word:
            added, removed, path = word.split("\t", 2)
            lines = sum(int(number) for number in (added, removed) if number != "-")
            touched = Touched(path, lines, plain.get(path, False))
            found[-1] = replace(found[-1], touched=(*found[-1].touched, touched))
    return [commit for commit in found if commit.parent]
