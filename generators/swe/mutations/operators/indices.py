"""Mistakes by one, in indices, slices and ranges."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from generators.swe.mutations.operators.operator import Operator
from generators.swe.mutations.place import Edits, Place, called

_COUNTERS = frozenset(
    {"i", "j", "k", "n", "m", "idx", "index", "pos", "position", "offset", "start", "stop", "end", "begin"}
    | {"lo", "hi", "left", "right", "last", "first"}
)


def plain_step(node: cst.BaseExpression | None) -> cst.BaseExpression | None:
    """``x`` of ``x + 1`` and ``x - 1``; None for anything else."""
    if not isinstance(node, cst.BinaryOperation) or not isinstance(node.operator, cst.Add | cst.Subtract):
        return None
    return node.left if isinstance(node.right, cst.Integer) and node.right.value == "1" else None


def is_minus_one(node: cst.BaseExpression | None) -> bool:
    """Whether an expression is written ``-1``."""
    return (
        isinstance(node, cst.UnaryOperation)
        and isinstance(node.operator, cst.Minus)
        and isinstance(node.expression, cst.Integer)
        and node.expression.value == "1"
    )


class IndexOffByOne(Operator[cst.Index]):
    """Takes the neighbour of an element, or counts from the wrong end."""

    name = "index_off_by_one"
    on = (cst.Index,)

    def changes(self, node: cst.Index, at: Place) -> Iterator[Edits]:
        value = node.value
        near = plain_step(value)
        if isinstance(value, cst.Integer) and value.value.isdigit():
            number = int(value.value)
            yield at.instead(value, str(number - 1 if number else 1))
            if not number:
                yield at.instead(value, "-1")
        elif is_minus_one(value):
            yield at.instead(value, "-2")
            yield at.instead(value, "0")
        elif near is not None:
            yield at.instead(value, at.code(near))
        elif isinstance(value, cst.Name) and value.value in _COUNTERS:
            yield at.instead(value, f"{value.value} - 1")
            yield at.instead(value, f"{value.value} + 1")


class SliceOffByOne(Operator[cst.Slice]):
    """Starts or ends a slice one too early or too late, or forgets to turn it round."""

    name = "slice_off_by_one"
    on = (cst.Slice,)

    def changes(self, node: cst.Slice, at: Place) -> Iterator[Edits]:
        for bound, other in ((node.lower, "+ 1"), (node.upper, "- 1")):
            near = plain_step(bound)
            if bound is None:
                continue
            if isinstance(bound, cst.Integer) and bound.value.isdigit():
                number = int(bound.value)
                lower = {0: "1", 1: ""}.get(number, str(number - 1))
                yield at.instead(bound, lower if bound is node.lower else str(number + 1))
            elif is_minus_one(bound):
                yield at.instead(bound, "")
            elif near is not None:
                yield at.instead(bound, at.code(near))
            elif isinstance(bound, cst.Name | cst.Call | cst.Attribute):
                yield at.instead(bound, f"{at.code(bound)} {other}")
        if is_minus_one(node.step) and node.step is not None:
            yield at.instead(node.step, "1")


class RangeOffByOne(Operator[cst.Call]):
    """Leaves out the first or the last number of a `range`, or counts from 0 where `enumerate` began at 1."""

    name = "range_off_by_one"
    on = (cst.Call,)

    def changes(self, node: cst.Call, at: Place) -> Iterator[Edits]:
        if not isinstance(node.func, cst.Name) or any(arg.star for arg in node.args):
            return
        if called(node) == "enumerate" and len(node.args) == 2:
            yield at.without(node.args, 1)
        if called(node) != "range" or not node.args or any(arg.keyword for arg in node.args):
            return
        stop = node.args[1 if len(node.args) > 1 else 0].value
        near = plain_step(stop)
        yield at.instead(stop, at.code(near) if near is not None else f"{at.tight(stop)} - 1")
        if len(node.args) == 1:
            yield at.instead(stop, f"1, {at.code(stop)}")
        else:
            start = node.args[0].value
            yield at.instead(start, "1" if at.code(start) == "0" else f"{at.tight(start)} + 1")
