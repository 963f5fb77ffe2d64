"""Procedural bugs: where Python files can be broken the way people break them, and the patches that do it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from generators.swe.mutations.bug import Bug, Change, make_bug
from generators.swe.mutations.choose import in_turn, pick
from generators.swe.mutations.combine import combine_file, combine_module
from generators.swe.mutations.files import excluded
from generators.swe.mutations.patch import diff
from generators.swe.mutations.proof import NoBug, mutated
from generators.swe.mutations.site import Edit, Site, overlap
from generators.swe.mutations.source import Source, Unreadable, read

__all__ = [
    "Bug",
    "Change",
    "Edit",
    "NoBug",
    "Site",
    "Source",
    "Unreadable",
    "combine_file",
    "combine_module",
    "diff",
    "excluded",
    "find_sites",
    "in_turn",
    "make_bug",
    "mistakes",
    "mutated",
    "overlap",
    "pick",
    "read",
]


def mistakes() -> Mapping[str, str]:
    """The operators' names, and the mistake that each makes, in a sentence."""
    from generators.swe.mutations.operators import OPERATORS

    return {name: " ".join((operator.__doc__ or "").split()) for name, operator in OPERATORS.items()}


def find_sites(source: Source, names: Collection[str] | None = None) -> list[Site]:
    """Every way that the operators (`names`; None: all) know to break the file, always in the same order.

    Which files to ask about is for `excluded` to say. Raises Unreadable where libcst cannot parse the file, would not
    give it back unchanged or has no stack left, KeyError for a name that no operator has.
    """
    from generators.swe.mutations.operators import OPERATORS
    from generators.swe.mutations.tree import Tree
    from generators.swe.mutations.walk import Walk

    asked = [OPERATORS[name] for name in names] if names is not None else list(OPERATORS.values())
    try:
        return Walk(Tree(source), asked).sites()
    except RecursionError as error:
        raise Unreadable(source.path, "too_deep", str(error)) from error
