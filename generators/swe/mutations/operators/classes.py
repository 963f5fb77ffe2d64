"""Mistakes in classes: bases, methods and decorators."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from generators.swe.mutations.dead import METHODS
from generators.swe.mutations.operators.operator import Operator
from generators.swe.mutations.place import Edits, Place, block_of, called, is_docstring, last_name
from generators.swe.mutations.site import Edit

_FORMAL = frozenset({"object", "Protocol", "Generic", "ABC", "NamedTuple", "TypedDict", "Enum", "type", "Hashable"})
_OPTIONAL = frozenset(
    {"__eq__", "__ne__", "__hash__", "__len__", "__bool__", "__contains__", "__iter__", "__lt__", "__le__", "__gt__"}
    | {"__ge__", "__getattr__", "__setattr__", "__enter__", "__exit__", "__call__", "__copy__", "__deepcopy__"}
    | {
        "__reduce__",
        "__getstate__",
        "__setstate__",
        "__add__",
        "__radd__",
        "__or__",
        "__and__",
        "__str__",
        "__reversed__",
    }
)


def _class_around(at: Place) -> cst.ClassDef | None:
    above = at.parents[-2] if len(at.parents) > 1 else None
    return above if isinstance(above, cst.ClassDef) else None


def _is_named(name: str, owner: cst.ClassDef, at: Place) -> bool:
    """Whether the class's own top level uses a method: as ``@name.setter`` or ``alias = name``."""
    pattern = re.compile(rf"(?<![\w.]){name}\b")
    for statement in owner.body.body:
        if isinstance(statement, cst.FunctionDef):
            if any(pattern.search(at.code(decorator)) for decorator in statement.decorators):
                return True
        elif not is_docstring(statement) and pattern.search(at.code(statement)):
            return True
    return False


class BaseRemoved(Operator[cst.ClassDef]):
    """Forgets to inherit from a class."""

    name = "base_removed"
    on = (cst.ClassDef,)

    def changes(self, node: cst.ClassDef, at: Place) -> Iterator[Edits]:
        for index, base in enumerate(node.bases):
            if base.star or not last_name(base.value) or last_name(base.value) in _FORMAL:
                continue
            if len(node.bases) > 1:
                yield at.without(node.bases, index)
            elif not node.keywords and isinstance(node.lpar, cst.LeftParen) and isinstance(node.rpar, cst.RightParen):
                yield (Edit(at.tree.outer[node.lpar][0], at.tree.outer[node.rpar][1], ""),)


class MethodRemoved(Operator[cst.FunctionDef]):
    """Forgets to override an inherited method, or to define one that Python itself calls."""

    name = "method_removed"
    on = (cst.FunctionDef,)

    def changes(self, node: cst.FunctionDef, at: Place) -> Iterator[Edits]:
        owner = _class_around(at)
        if owner is None or node.name.value in METHODS or _is_named(node.name.value, owner, at):
            return
        if any(last_name(d.decorator) not in ("classmethod", "staticmethod", "property") for d in node.decorators):
            return
        inherited = any(last_name(base.value) not in ("object", "") for base in owner.bases)
        if inherited or node.name.value in _OPTIONAL:
            yield at.drop(node, start=node.decorators[0] if node.decorators else None)


class MethodBodiesSwapped(Operator[cst.FunctionDef]):
    """Pastes a method's body under the signature of the next one, and the other way round."""

    name = "method_bodies_swapped"
    on = (cst.FunctionDef,)

    def changes(self, node: cst.FunctionDef, at: Place) -> Iterator[Edits]:
        if _class_around(at) is None:
            return
        methods = [m for m in block_of(at.parent) if isinstance(m, cst.FunctionDef)]
        index = next(i for i, method in enumerate(methods) if method is node)
        following = methods[index + 1] if index + 1 < len(methods) else None
        if following is None or not self._alike(node, following, at):
            return
        here, there = self._lines(node, at), self._lines(following, at)
        if here is not None and there is not None:
            yield at.swap(here, there)

    @staticmethod
    def _alike(one: cst.FunctionDef, other: cst.FunctionDef, at: Place) -> bool:
        if {one.name.value, other.name.value} & {*METHODS, "__init__", "__new__"}:
            return False
        signed = [(at.code(m.params), bool(m.asynchronous), [at.code(d) for d in m.decorators]) for m in (one, other)]
        return signed[0] == signed[1] and at.indent(block_of(one.body)[0]) == at.indent(block_of(other.body)[0])

    @staticmethod
    def _lines(method: cst.FunctionDef, at: Place) -> tuple[int, int] | None:
        first = block_of(method.body)[0]
        return at.block_lines(method.body, after=first if is_docstring(first) else None)


class DecoratorRemoved(Operator[cst.FunctionDef]):
    """Forgets a decorator that changes what the function is: `property`, `staticmethod`, `wraps`, `contextmanager`."""

    name = "decorator_removed"
    on = (cst.FunctionDef,)
    _telling = frozenset({"property", "cached_property", "staticmethod", "classmethod", "wraps", "contextmanager"})

    def changes(self, node: cst.FunctionDef, at: Place) -> Iterator[Edits]:
        owner = _class_around(at)
        if owner is not None and _is_named(node.name.value, owner, at):
            return
        for decorator in node.decorators:
            name = called(decorator.decorator) or last_name(decorator.decorator)
            lines = at.lines(decorator, above=False) if name in self._telling else None
            if lines is not None:
                yield (Edit(*lines, ""),)
