"""Which lines of a Python file belong to which function or class."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from generators.swe.mutations import Source, read
from generators.swe.mutations.proof import same
from generators.swe.mutations.site import NEWLINE
from generators.swe.mutations.source import syntax

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Part:
    """A function or class; lines are counted from 1."""

    qualname: str
    """Dotted; others of the same name may be in the file."""
    node: Definition
    first: int
    """Of its decorators, where it has any."""
    body: int
    """Where the first statement of its body begins, decorators included."""
    last: int
    within: Part | None
    """The function or class around it."""

    @property
    def is_class(self) -> bool:
        """Whether it is a class, whose body runs where it stands."""
        return isinstance(self.node, ast.ClassDef)

    def covers(self, line: int) -> bool:
        """Whether the line is one of its own, head included."""
        return self.first <= line <= self.last

    def runs(self, line: int) -> bool:
        """Whether what begins on the line is of its body, apart from its head."""
        return self.node.body[0].lineno > self.node.lineno and self.body <= line <= self.last


class Outline:
    """The functions and classes of one file that this Python compiles."""

    def __init__(self, path: str, data: bytes) -> None:
        """Raises Unreadable."""
        self.source: Source = read(path, data)
        self.tree = syntax(path, data)
        self.parts: list[Part] = list(parts_of(self.tree))
        """As they stand in the file, an outer one before those inside."""
        self.lines: list[str] = NEWLINE.split(self.source.text)

    def around(self, first: int, last: int) -> Part | None:
        """The innermost function or class that has both lines, and all between; None: the file itself."""
        found = [part for part in self.parts if part.covers(first) and part.covers(last)]
        return found[-1] if found else None

    def function(self, line: int) -> Part | None:
        """The outermost function in whose body the line is; None: it runs while the file is imported."""
        for part in self.parts:
            if not part.is_class and part.runs(line):
                return part
        return None

    def is_code(self, line: int) -> bool:
        """Whether there is more on the line than a comment."""
        return self.lines[line - 1].strip()[:1] not in ("", "#")

    def indentation(self, line: int) -> int:
        """Characters before the first that is no blank."""
        text = self.lines[line - 1]
        return len(text) - len(text.lstrip())

    def begins(self, line: int) -> bool:
        """Whether a statement begins on the line with its first word, and no branch of one above does (`elif`)."""
        return line in self._starts and not self.lines[line - 1].lstrip().startswith("elif")

    @cached_property
    def _starts(self) -> frozenset[int]:
        return frozenset(node.lineno for node in ast.walk(self.tree) if isinstance(node, ast.stmt))

    def same_code(self, other: Outline) -> bool:
        """Whether comments and layout are all that differs."""
        return same(self.tree, other.tree)


def parts_of(node: ast.AST, prefix: str = "", within: Part | None = None) -> Iterator[Part]:
    """The functions and classes in a tree, as they stand there, an outer one before those inside."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            continue
        if not isinstance(child, Definition):
            yield from parts_of(child, prefix, within)
            continue
        name = f"{prefix}{child.name}"
        inner = child.body[0]
        part = Part(name, child, _first(child), _first(inner), child.end_lineno or child.lineno, within)
        yield part
        yield from parts_of(child, f"{name}.", part)


def _first(node: ast.stmt) -> int:
    """Its first line, decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])
