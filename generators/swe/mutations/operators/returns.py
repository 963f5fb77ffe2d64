"""Mistakes in what a function gives back."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from generators.swe.mutations.operators.likeness import likest
from generators.swe.mutations.operators.operator import Operator
from generators.swe.mutations.place import Edits, Place
from generators.swe.mutations.site import Edit

_CONSTANTS = (cst.Integer, cst.Float, cst.SimpleString, cst.ConcatenatedString, cst.Ellipsis)


class ReturnDropped(Operator[cst.Return]):
    """Forgets to give the result back: calls without `return`, or returns nothing."""

    name = "return_dropped"
    on = (cst.Return,)

    def changes(self, node: cst.Return, at: Place) -> Iterator[Edits]:
        value = node.value
        if value is None or isinstance(value, _CONSTANTS) or at.code(value) in ("None", "True", "False"):
            return
        if isinstance(value, cst.Call | cst.Await | cst.Yield):
            yield (Edit(at.tree.inner[node][0], at.tree.outer[value][0], ""),)
        else:
            yield at.instead(value, "None")


class ReturnVariable(Operator[cst.Return]):
    """Returns another variable of the function."""

    name = "return_variable"
    on = (cst.Return,)

    def changes(self, node: cst.Return, at: Place) -> Iterator[Edits]:
        if isinstance(node.value, cst.Name) and node.value.value in at.bound:
            other = likest(node.value.value, at.bound)
            if other is not None:
                yield at.within(node.value, other)


class TupleOrder(Operator[cst.Tuple]):
    """Mixes up the order of values that are returned, yielded or unpacked together."""

    name = "tuple_order"
    on = (cst.Tuple,)

    def changes(self, node: cst.Tuple, at: Place) -> Iterator[Edits]:
        if not isinstance(at.parent, cst.Return | cst.Yield | cst.AssignTarget | cst.For | cst.CompFor):
            return
        if isinstance(at.parent, cst.For | cst.CompFor) and node is not at.parent.target:
            return
        if any(isinstance(element, cst.StarredElement) for element in node.elements):
            return
        for one, other in zip(node.elements, node.elements[1:], strict=False):
            yield at.swap(at.tree.outer[one.value], at.tree.outer[other.value])
