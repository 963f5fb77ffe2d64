"""A repository is brought to this machine: the files of one commit, and what is known of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from datafactory.types import Files
from generators.swe.sources import tree
from generators.swe.sources.address import Address, Package
from generators.swe.sources.benchmarks import excluded_benchmark
from generators.swe.sources.fault import SourceError
from generators.swe.sources.license import license_of
from generators.swe.sources.metadata import metadata_of
from generators.swe.sources.repository import Repository, refusal


@dataclass(frozen=True)
class Checkout:
    """The files of one commit, without history."""

    repository: Repository
    name: str
    """`toolz` (a package or a folder), `owner__name` (an address)."""
    version: str
    """Of the sdist; else what the metadata says without being run, or the tag's; "" unknown."""
    commit: str
    """The full commit; "" where there is none: an sdist, and a folder as it lies, whatever its git says."""
    license: str
    """An SPDX expression; "" where it cannot be told."""
    files: Files = field(repr=False)
    """Relative paths; no .git."""
    digest: str
    """SHA-256 (hex) over paths, modes, links and contents."""
    notes: tuple[str, ...] = ()
    """What is not there: submodules, content of git LFS, links that point outside."""


def fetch(repository: Repository, cache: Path) -> Checkout:
    """Bring a repository's files; none of its code is run. Blocking. `cache` (a folder, made if need be) keeps what
    was downloaded: what is pinned (a version, a full commit) needs the network once.

    Raises SourceError, which says at which step, and the way out.
    """
    refuse(repository)
    return checked(repository, *_brought(repository, cache))


def refuse(repository: Repository) -> None:
    """Raises SourceError for what can be told to be wrong before anything is brought."""
    for problem in repository.problems():
        raise SourceError("excluded" if "SWE-bench" in problem else "folder", problem.removeprefix("at: "))


def checked(
    repository: Repository, name: str, version: str, commit: str, files: Files, notes: Sequence[str]
) -> Checkout:
    """The checkout of files that were brought; what may not lie in one is left out. Raises SourceError."""
    files, left_out = tree.settled(files)
    if not files:
        raise SourceError("folder", f"{repository.at} holds no files")
    metadata = metadata_of(files)
    if (benchmark := excluded_benchmark(metadata.name)) and not repository.allow_benchmarks:
        raise SourceError("excluded", refusal(f"{repository.at} ({metadata.name})", benchmark))
    return Checkout(
        repository=repository,
        name=name,
        version=version if not commit else metadata.version or version,
        commit=commit,
        license=license_of(metadata, files),
        files=files,
        digest=tree.digest(files),
        notes=(*notes, *left_out),
    )


def _brought(repository: Repository, cache: Path) -> tuple[str, str, str, Files, list[str]]:
    """Name, version, commit, files and notes."""
    named = repository.named
    if isinstance(named, Package):
        from generators.swe.sources import archive, index

        packed, version = index.bring(named, cache)
        return canonicalize_name(named.name), version, "", archive.unpacked(packed), []
    if isinstance(named, Address):
        from generators.swe.sources import git, remote

        folder, commit = remote.bring(named, cache)
        try:
            return remote.name_of(named.url), tagged(named.revision), commit, *git.read_tree(folder, commit)
        except git.GitFailed as error:
            raise SourceError("git", f"{repository.at}: {error}") from error
    from generators.swe.sources import folder as folders

    place = Path(named.path).expanduser().resolve()
    name = place.name.removesuffix(".git")
    if not named.revision:
        files, notes = folders.as_it_lies(place)
        return name, metadata_of(files).version, "", files, notes
    commit, files, notes = folders.at_commit(place, named.revision)
    return name, tagged(named.revision), commit, files, notes


def tagged(revision: str) -> str:
    """The version that a tag such as `v1.2.3` names, else ""."""
    found = re.fullmatch(r"v?(\d+\.[\w.!+]+)", revision)
    try:
        return str(Version(found[1])) if found else ""
    except InvalidVersion:
        return ""
