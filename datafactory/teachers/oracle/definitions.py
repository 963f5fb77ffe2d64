"""Where a file defines things, by its indentation: it need not parse, and may be of any age of Python."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from datafactory.teachers.oracle.issue import words

_HEAD = re.compile(r"^([ \t]*)(?:async[ \t]+def|def|class)[ \t]+(\w+)")


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class."""

    name: str
    first: int
    """Line of its `def` or `class`, from 1."""
    last: int
    indent: int
    is_class: bool


@lru_cache(maxsize=64)
def definitions(text: str) -> tuple[Definition, ...]:
    """All of a file, in order."""
    lines = text.splitlines()
    found: list[Definition] = []
    for number, line in enumerate(lines, 1):
        if head := _HEAD.match(line):
            indent = len(head[1].expandtabs())
            found.append(Definition(head[2], number, _end(lines, number, indent), indent, "class" in head[0]))
    return tuple(found)


def _end(lines: Sequence[str], first: int, indent: int) -> int:
    """The last line of a definition: what follows that is indented further, a closing bracket of its head, blanks."""
    last = first
    for number in range(first + 1, len(lines) + 1):
        line = lines[number - 1]
        if not line.strip():
            continue
        deep = len(line) - len(line.lstrip())
        if deep <= indent and not line.lstrip().startswith((")", "#", "]", "}")):
            break
        last = number
    return last


def around(text: str, first: int, last: int) -> tuple[Definition, ...]:
    """The definitions that hold a span of lines, outermost first."""
    return tuple(each for each in definitions(text) if each.first <= first and max(first, last) <= each.last)


def steps_to(text: str, target: str, starts: Iterable[str], most: int) -> str:
    """Of the names `starts`, which are defined in the file, the one from which `target` is fewest steps away, `most` at
    most, going by what bodies mention; empty: none leads there."""
    bodies = _bodies(text)
    reached, edge = {target}, {target}
    wanted = [name for name in starts if name in bodies and name != target]
    for _ in range(most):
        edge = {name for name, body in bodies.items() if name not in reached and body & edge}
        if found := [name for name in wanted if name in edge]:
            return found[0]
        reached |= edge
    return ""


@lru_cache(maxsize=64)
def _bodies(text: str) -> dict[str, set[str]]:
    """What the bodies of definitions mention, by their names; those of one name together."""
    bodies: dict[str, set[str]] = {}
    lines = text.splitlines()
    for each in definitions(text):
        bodies.setdefault(each.name, set()).update(words("\n".join(lines[each.first : each.last])))
    return bodies
