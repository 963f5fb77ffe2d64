"""The facts of one bug: what was changed where, and the patches that make it and mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from datafactory.types import Record, digest_of
from generators.swe.mutations.patch import diff
from generators.swe.mutations.proof import NoBug, mutated
from generators.swe.mutations.site import Site
from generators.swe.mutations.source import Source


class Change(Record):
    """One site of a bug."""

    operator: str
    path: str
    qualname: str
    """Dotted name of the function or class; empty: the module's top level."""
    first_line: int
    """In the file before the bug, from 1."""
    last_line: int
    change: str
    """What changed, in a line: ``< → <=``."""


class Bug(Record):
    """A bug in one or more files of a repository. Its patches fit the files that it was made of, byte for byte."""

    id: str
    """Sixteen hex digits of the patch's digest."""
    kind: str
    """The operator's name, or ``combine_file`` or ``combine_module`` where there are several sites."""
    changes: tuple[Change, ...]
    """In the order of files and lines."""
    patch: str
    """Unified diff that makes the bug (SWE-smith's `patch`), with ``a/`` and ``b/`` paths."""
    fix: str
    """Unified diff that mends it (SWE-bench's `patch`)."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that it changes, sorted."""
        return tuple(sorted({change.path for change in self.changes}))


def make_bug(sources: Mapping[str, Source], sites: Sequence[Site]) -> Bug:
    """The bug of `sites` together, in files of `sources` (path: file). Raises NoBug, also where a patch is no UTF-8."""
    if not sites:
        raise NoBug("no sites")
    ordered = sorted(sites, key=lambda site: (site.path, site.edits))
    paths = sorted({site.path for site in ordered})
    absent = [path for path in paths if path not in sources]
    if absent:
        raise NoBug(f"no such file among the sources: {', '.join(absent)}")
    pairs = [(path, sources[path].data, mutated(sources[path], ordered)) for path in paths]
    try:
        patch = b"".join(diff(path, before, after) for path, before, after in pairs).decode()
        fix = b"".join(diff(path, after, before) for path, before, after in pairs).decode()
    except UnicodeDecodeError as error:
        raise NoBug(f"{', '.join(paths)}: the lines around the change are no UTF-8, so no patch of text") from error
    combined = "combine_file" if len(paths) == 1 else "combine_module"
    return Bug(
        id=digest_of(patch),
        kind=ordered[0].operator if len(ordered) == 1 else combined,
        changes=tuple(
            Change(
                operator=site.operator,
                path=site.path,
                qualname=site.qualname,
                first_line=site.first_line,
                last_line=site.last_line,
                change=site.change,
            )
            for site in ordered
        ),
        patch=patch,
        fix=fix,
    )
