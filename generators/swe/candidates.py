"""The bugs that could be made in a repository, in an order whose every beginning is spread over it."""

from __future__ import annotations

import logging
from collections.abc import Collection
from random import Random

from datafactory.formats.unified_diff import patched
from datafactory.types import Files
from generators.swe.environment import Environment
from generators.swe.mutations import (
    Bug,
    Site,
    Source,
    Unreadable,
    combine_file,
    combine_module,
    excluded,
    find_sites,
    in_turn,
    make_bug,
    read,
)

_log = logging.getLogger(__name__)


class Candidates:
    """Numbered bugs: the same number is the same bug for the same files, tests and seed."""

    def __init__(self, sources: dict[str, Source], sites: list[Site], *, combined: float, seed: str) -> None:
        self._sources = sources
        self._sites = sites
        self._combined = combined
        self._seed = seed

    def __len__(self) -> int:
        return len(self._sites)

    def bug(self, number: int) -> tuple[Bug, dict[str, bytes]]:
        """Bug `number`, and the broken files by their paths in the repository. Raises IndexError past the last,
        NoBug where the change is none or breaks the syntax."""
        rng = Random(f"{self._seed}/{number}")
        several = rng.random() < self._combined
        bug = self._several(rng) if several else make_bug(self._sources, [self._sites[number]])
        before = {path: self._sources[path].data.decode(errors="surrogateescape") for path in bug.paths}
        after = patched(before, bug.patch)
        return bug, {path: text.encode(errors="surrogateescape") for path, text in after.items()}

    def _several(self, rng: Random) -> Bug:
        count = rng.choice((2, 2, 3))
        paths = sorted({site.path for site in self._sites})
        if rng.random() < 0.5 and len(paths) > 1:
            return combine_module(self._sources, self._sites, rng, count=count)
        return combine_file(self._sources[rng.choice(paths)], self._sites, rng, count=count)


def find_candidates(
    files: Files, environment: Environment, *, operators: Collection[str], combined: float, seed: int
) -> Candidates:
    """All sites of the repository's own code that a test runs, each change once. `operators`: names; empty: all."""
    sources: dict[str, Source] = {}
    sites: dict[str, Site] = {}
    for path, file in sorted(files.items()):
        if file.link is not None or path in environment.test_files or excluded(path, file.data):
            continue
        try:
            source = read(path, file.data)
            found = find_sites(source, operators or None)
        except Unreadable as error:
            _log.info("left alone: %s", error)
            continue
        kept = [site for site in found if _is_tested(environment, site)]
        if kept:
            sources[path] = source
            sites.update({site.key: site for site in kept})
    key = f"{environment.digest}/{seed}"
    return Candidates(sources, list(in_turn(list(sites.values()), Random(key))), combined=combined, seed=key)


def _is_tested(environment: Environment, site: Site) -> bool:
    tests = environment.coverage.tests_for(site.path, range(site.first_line, site.last_line + 1))
    return tests is None or bool(tests)
