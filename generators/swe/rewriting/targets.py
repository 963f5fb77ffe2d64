"""Which functions and classes of a repository are worth breaking: its own, tested, of a size to be asked about."""

from __future__ import annotations

import ast
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from datafactory.types import Files
from generators.swe.environment import Environment
from generators.swe.mutations import Unreadable, excluded
from generators.swe.outline import Outline, Part
from generators.swe.rewriting.body import cut

_log = logging.getLogger(__name__)
_STUBS = frozenset({"overload", "abstractmethod", "abstractproperty"})
"""Decorators of what has no behaviour of its own."""


@dataclass(frozen=True, slots=True)
class Target:
    """A function, method or class of a file."""

    path: str
    number: int
    """Which one of the file's `Outline.parts`: names do not tell a property from its setter."""
    qualname: str
    is_class: bool


def find_targets(files: Files, environment: Environment, *, least: int, most: int, seed: int) -> list[Target]:
    """Functions, methods and classes whose body has `least` to `most` lines of code and is run by a test, in an order
    whose every beginning is spread over the files; always the same for the same files, tests and seed.

    Functions inside of others are theirs. Stubs, tests and files that `excluded` names are left alone.
    """
    rng = Random(f"{environment.digest}/{seed}")
    found: list[list[Target]] = []
    for path, file in sorted(files.items()):
        if file.link is not None or path in environment.test_files or excluded(path, file.data):
            continue
        try:
            outline = Outline(path, file.data)
        except Unreadable as error:
            _log.info("left alone: %s", error)
            continue
        here = [
            Target(path, number, part.qualname, part.is_class)
            for number, part in enumerate(outline.parts)
            if _is_own(part) and _fits(outline, part, least, most) and _is_tested(environment, outline, part)
        ]
        rng.shuffle(here)
        found.append(here)
    rng.shuffle(found)
    return _in_turn(found)


def _in_turn(found: Sequence[Sequence[Target]]) -> list[Target]:
    """The first of each file, the second of each, and so on."""
    longest = max(map(len, found), default=0)
    return [here[place] for place in range(longest) for here in found if place < len(here)]


def _is_own(part: Part) -> bool:
    """Whether it stands by itself: in a file or a class."""
    return part.within is None or (part.within.is_class and _is_own(part.within))


def _fits(outline: Outline, part: Part, least: int, most: int) -> bool:
    names = {getattr(node, "attr", getattr(node, "id", "")) for node in part.node.decorator_list}
    parted = cut(outline.lines, part.node)
    if parted is None or names & _STUBS or all(map(_does_nothing, parted.body)):
        return False
    return least <= sum(map(outline.is_code, range(parted.head + 1, parted.last + 1))) <= most


def _does_nothing(node: ast.stmt) -> bool:
    """`pass`, `...`, and what says that something is missing."""
    if isinstance(node, ast.Raise):
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return getattr(raised, "id", "") == "NotImplementedError"
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _is_tested(environment: Environment, outline: Outline, part: Part) -> bool:
    """Whether a test runs a line of its body; of a class, of one of its methods' bodies."""
    if part.is_class:
        inside = [other for other in outline.parts if other.within is part]
        return any(_is_tested(environment, outline, other) for other in inside)
    parted = cut(outline.lines, part.node)
    if parted is None:
        return False
    tests = environment.coverage.tests_for(outline.source.path, range(parted.head + 1, parted.last + 1))
    return tests is None or bool(tests)


def part_path(outline: Outline) -> str:
    """Relative to the repository."""
    return outline.source.path
