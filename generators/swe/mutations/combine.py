"""Several sites that become one bug, in one file or over the files of a module, as SWE-smith combines bugs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from random import Random

from generators.swe.mutations.bug import Bug, make_bug
from generators.swe.mutations.choose import in_turn
from generators.swe.mutations.proof import NoBug
from generators.swe.mutations.site import Site, overlap
from generators.swe.mutations.source import Source


def combine_file(source: Source, pool: Sequence[Site], rng: Random, *, count: int = 2) -> Bug:
    """One bug of `count` sites of `pool` in this file, each in another function. Raises NoBug where it has too few.

    Sites that were each proved to fail a test make the best pool: what they fail together is then seldom nothing.
    """
    if count < 2:
        raise NoBug("a combined bug has at least two sites")
    taken = _apart([site for site in pool if site.path == source.path], rng, count)
    if len(taken) < count:
        raise NoBug(f"{source.path}: sites in {len(taken)} functions that can be combined, {count} wanted")
    return make_bug({source.path: source}, taken)


def combine_module(
    sources: Mapping[str, Source], pool: Sequence[Site], rng: Random, *, count: int = 2, files: int = 2
) -> Bug:
    """One bug of `count` sites of `pool`, each in another function, over at least `files` files of one folder.

    Raises NoBug where no folder has so many.
    """
    if not 2 <= files <= count:
        raise NoBug("a bug of a module is in at least two files, and has a site in each")
    folders: dict[str, list[Site]] = {}
    for site in pool:
        if site.path in sources:
            folders.setdefault(str(PurePosixPath(site.path).parent), []).append(site)
    order = sorted(folders)
    rng.shuffle(order)
    for folder in order:
        taken = _apart(folders[folder], rng, count, files=files)
        if len(taken) == count:
            return make_bug(sources, taken)
    raise NoBug(f"no folder has {files} files with sites in {count} functions that can be combined")


def _apart(pool: Sequence[Site], rng: Random, count: int, *, files: int = 1) -> list[Site]:
    """Up to `count` sites, each in another function, none overlapping another, the last ones kept for missing files."""
    taken: list[Site] = []
    for site in in_turn(pool, rng):
        if len(taken) >= count:
            break
        paths = {other.path for other in taken}
        if site.path in paths and count - len(taken) <= files - len(paths):
            continue
        if all(site.place != other.place and not overlap(site, other) for other in taken):
            taken.append(site)
    return taken
