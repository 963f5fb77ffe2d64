"""Makes a change of a file, and proves that it is one."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from generators.swe.mutations.site import NEWLINE, Edit, Site, overlap, spliced
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
    changed = False
    for (start, end), inside in _by_statement(source, edits).items():
        before = source.text[start:end]
        after = spliced(before, tuple(Edit(edit.start - start, edit.end - start, edit.text) for edit in inside))
        try:
            changed |= not same(syntax(source.path, before), syntax(source.path, after))
        except Unreadable as error:
            raise NoBug(str(error)) from error
    if not changed:
        raise NoBug(f"{source.path}: the syntax tree is the same as before")
    return source.encoded(spliced(source.text, edits))


def _by_statement(source: Source, edits: tuple[Edit, ...]) -> dict[tuple[int, int], list[Edit]]:
    """The edits by the lines of the top-level statement that they are in; the whole file where an edit is in none.

    What a change makes of a file shows there, and to compile a large file again for every change takes long.
    """
    statements = _statements(source)
    starts = [start for start, _ in statements]
    found: dict[tuple[int, int], list[Edit]] = {}
    for edit in edits:
        index = bisect_right(starts, edit.start) - 1
        if index < 0 or edit.end > statements[index][1]:
            return {(0, len(source.text)): list(edits)}
        found.setdefault(statements[index], []).append(edit)
    return found


@lru_cache(maxsize=64)
def _statements(source: Source) -> list[tuple[int, int]]:
    """Where the lines of each top-level statement begin and end, in characters; those that share a line are one."""
    lines = [0, *(match.end() for match in NEWLINE.finditer(source.text)), len(source.text)]
    found: list[tuple[int, int]] = []
    for node in syntax(source.path, source.data).body:
        decorators = getattr(node, "decorator_list", [])
        start = lines[min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1]
        end = lines[min(node.end_lineno or node.lineno, len(lines) - 1)]
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def same(one: object, other: object) -> bool:
    """Whether two nodes, or values in nodes, are the same; ends at the first difference."""
    if type(one) is not type(other):
        return False
    if isinstance(one, ast.AST):
        return all(same(getattr(one, name, None), getattr(other, name, None)) for name in one._fields)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other or (one != one and other != other)
