"""Makes a change of a file, and proves that it is one."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from generators.swe.mutations.site import Site, overlap, spliced
from generators.swe.mutations.source import Source, Unreadable, syntax


class NoBug(ValueError):
    """These sites make no bug of these files; the message says why."""


def mutated(source: Source, sites: Sequence[Site]) -> bytes:
    """The file's bytes after the `sites` that are in it, all else untouched.

    Raises NoBug where two sites overlap, or where the result does not compile or has the same syntax tree as before.
    """
    here = [site for site in sites if site.path == source.path]
    for index, site in enumerate(here):
        clash = next((other for other in here[:index] if overlap(site, other)), None)
        if clash is not None:
            raise NoBug(f"{source.path}: {clash.operator} and {site.operator} overlap on line {site.first_line}")
    edits = tuple(sorted(edit for site in here for edit in site.edits))
    if edits and edits[-1].end > len(source.text):
        raise NoBug(f"{source.path}: the sites are those of another version of this file")
    data = source.encoded(spliced(source.text, edits))
    try:
        after = syntax(source.path, data)
    except Unreadable as error:
        raise NoBug(str(error)) from error
    if _alike(syntax(source.path, source.data), after):
        raise NoBug(f"{source.path}: the syntax tree is the same as before")
    return data


def _alike(before: ast.Module, after: ast.Module) -> bool:
    """Whether two modules have the same tree, places aside."""
    if len(before.body) != len(after.body):
        return False
    return all(_same(one, other) for one, other in zip(before.body, after.body, strict=True))


def _same(one: object, other: object) -> bool:
    """Whether two nodes, or values in nodes, are the same; ends at the first difference."""
    if type(one) is not type(other):
        return False
    if isinstance(one, ast.AST):
        return all(_same(getattr(one, name, None), getattr(other, name, None)) for name in one._fields)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other or (one != one and other != other)
