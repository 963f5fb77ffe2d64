"""Mistakes in calls: arguments, and calls that are missing."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from generators.swe.mutations.operators.operator import Operator
from generators.swe.mutations.place import Edits, Place, called, only

_ANY_ORDER = frozenset(
    {"max", "min", "isinstance", "issubclass", "hasattr", "setattr", "super", "TypeVar", "zip", "map", "filter"}
)
_NOT_CALLS = frozenset({"namedtuple", "dataclass", "TypeVar", "field", "partial"})
_CONSTANTS = (cst.Integer, cst.Float, cst.SimpleString)


class ArgumentSwap(Operator[cst.Call]):
    """Passes two neighbouring arguments in each other's place."""

    name = "argument_swap"
    on = (cst.Call,)

    def changes(self, node: cst.Call, at: Place) -> Iterator[Edits]:
        if called(node) in _ANY_ORDER:
            return
        for one, other in zip(node.args, node.args[1:], strict=False):
            both_named = one.keyword is not None and other.keyword is not None
            if one.star or other.star or (not both_named and (one.keyword or other.keyword)):
                continue
            if both_named and (isinstance(one.value, _CONSTANTS) or isinstance(other.value, _CONSTANTS)):
                continue
            if isinstance(one.value, cst.GeneratorExp) or isinstance(other.value, cst.GeneratorExp):
                continue
            yield at.swap(at.tree.outer[one.value], at.tree.outer[other.value])


class ArgumentDropped(Operator[cst.Call]):
    """Forgets an argument that has a default: a keyword, or what `get`, `pop`, `getattr` and `next` fall back on."""

    name = "argument_dropped"
    on = (cst.Call,)
    _fallbacks = {"get": 2, "pop": 2, "setdefault": 2, "next": 2, "getattr": 3, "round": 2, "split": 2, "sum": 2}

    def changes(self, node: cst.Call, at: Place) -> Iterator[Edits]:
        name = called(node)
        if name in _NOT_CALLS:
            return
        for index, arg in enumerate(node.args):
            if arg.star:
                continue
            if arg.keyword is not None or self._fallbacks.get(name) == index + 1 == len(node.args):
                yield at.without(node.args, index)


class CallRemoved(Operator[cst.SimpleStatementLine]):
    """Forgets a call that is made for what it does (`sort`, `append`, `super().__init__`), or a `del`."""

    name = "call_removed"
    on = (cst.SimpleStatementLine,)

    def changes(self, node: cst.SimpleStatementLine, at: Place) -> Iterator[Edits]:
        small = only(node)
        if at.function is None:
            return
        if isinstance(small, cst.Expr):
            value = small.value.expression if isinstance(small.value, cst.Await) else small.value
            if isinstance(value, cst.Call):
                yield at.drop(node)
        elif isinstance(small, cst.Del) and isinstance(small.target, cst.Subscript | cst.Attribute):
            yield at.drop(node)


class CallUnwrapped(Operator[cst.Call]):
    """Forgets to clean, copy or convert a value: `x` for `x.strip()`, `list(x)`, `deepcopy(x)`."""

    name = "call_unwrapped"
    on = (cst.Call,)
    _methods = frozenset(
        {"copy", "strip", "lstrip", "rstrip", "lower", "upper", "casefold", "title", "capitalize", "encode", "decode"}
        | {"resolve", "absolute", "expanduser", "expandtabs", "splitlines"}
    )
    _functions = frozenset(
        {"list", "tuple", "set", "frozenset", "sorted", "reversed", "str", "int", "float", "abs", "dict", "iter"}
        | {"copy", "deepcopy", "abspath", "normpath", "normcase", "realpath", "expanduser", "basename", "escape"}
        | {"quote", "unquote", "round", "bytes"}
    )

    def changes(self, node: cst.Call, at: Place) -> Iterator[Edits]:
        name, func = called(node), node.func
        if isinstance(func, cst.Attribute) and self._is_cleaning(node, func):
            yield at.instead(node, at.tight(func.value))
        if name not in self._functions or not node.args or node.args[0].star or node.args[0].keyword:
            return
        iterated = isinstance(at.parent, cst.For | cst.CompFor) and name in ("list", "tuple", "iter")
        shown = isinstance(at.parent, cst.FormattedStringExpression)
        if not iterated and not shown and (isinstance(func, cst.Name) or len(node.args) == 1):
            yield at.instead(node, at.tight(node.args[0].value))

    def _is_cleaning(self, node: cst.Call, func: cst.Attribute) -> bool:
        """Whether a method gives the same kind of value back; `copy` with arguments is a function of a module."""
        name = func.attr.value
        return name in self._methods and called(func.value) != "super" and not (name == "copy" and node.args)


class SiblingCall(Operator[cst.Call]):
    """Calls the neighbour of the right function: `endswith` for `startswith`, `max` for `min`, `any` for `all`."""

    name = "sibling_call"
    on = (cst.Call,)
    _pairs = (
        *(("startswith", "endswith"), ("lstrip", "rstrip"), ("find", "rfind"), ("index", "rindex"), ("upper", "lower")),
        *(("min", "max"), ("any", "all"), ("floor", "ceil"), ("union", "intersection"), ("keys", "values")),
        *(("partition", "rpartition"), ("issubset", "issuperset"), ("append", "extend"), ("popleft", "pop")),
        *(("isdigit", "isalpha"), ("islower", "isupper"), ("bisect_left", "bisect_right"), ("isfile", "isdir")),
        *(("dirname", "basename"), ("ljust", "rjust"), ("match", "search")),
    )
    _other = {
        **dict(_pairs),
        **{b: a for a, b in _pairs if b != "pop"},
        "strip": "rstrip",
        "fullmatch": "match",
        "appendleft": "append",
        "setdefault": "get",
    }
    _with_limit = {"split": "rsplit", "rsplit": "split"}  # without a limit both do the same

    def changes(self, node: cst.Call, at: Place) -> Iterator[Edits]:
        name = called(node)
        other = self._other.get(name) or (self._with_limit.get(name) if len(node.args) > 1 else None)
        if other is None or (isinstance(node.func, cst.Name) and name not in ("min", "max", "any", "all")):
            return
        func = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        yield at.within(func, other)


class AwaitRemoved(Operator[cst.Await]):
    """Forgets an `await`."""

    name = "await_removed"
    on = (cst.Await,)

    def changes(self, node: cst.Await, at: Place) -> Iterator[Edits]:
        yield at.within(node, at.code(node.expression))
