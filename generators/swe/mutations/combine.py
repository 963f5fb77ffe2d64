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
    """One bug of `count` sites of `pool`, over `files` files of one folder. Raises NoBug where none has so many."""
    if not 2 <= files <= count:
        raise NoBug("a bug of a module is in at least two files, and has a site in each")
    folders: dict[str, dict[str, list[Site]]] = {}
    for site in sorted(pool, key=lambda site: (site.path, site.edits, site.operator)):
        if site.path in sources:
            folders.setdefault(str(PurePosixPath(site.path).parent), {}).setdefault(site.path, []).append(site)
    wide = [folder for folder, held in sorted(folders.items()) if len(held) >= files]
    rng.shuffle(wide)
    for folder in wide:
        held = folders[folder]
        chosen = rng.sample(sorted(held), files)
        taken = [site for path in chosen for site in _apart(held[path], rng, 1)]
        rest = [site for path in chosen for site in held[path] if site.place not in {t.place for t in taken}]
        taken += _apart(rest, rng, count - files)
        if len(taken) == count:
            return make_bug(sources, taken)
    raise NoBug(f"no folder has {files} files with sites in {count} functions")


def _apart(pool: Sequence[Site], rng: Random, count: int) -> list[Site]:
    """Up to `count` sites, each in another function, none overlapping another."""
    taken: list[Site] = []
    for site in in_turn(pool, rng):
        if len(taken) >= count:
            break
        if all(site.place != other.place and not overlap(site, other) for other in taken):
            taken.append(site)
    return taken
