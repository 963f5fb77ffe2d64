"""Mistakes in comparisons and in conditions made of several."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from generators.swe.mutations.operators.operator import Operator, Swap
from generators.swe.mutations.place import Edits, Place


class ComparisonBoundary(Swap[cst.ComparisonTarget]):
    """Counts the limit itself in, or leaves it out: `<` for `<=`."""

    name = "comparison_boundary"
    on = (cst.ComparisonTarget,)
    others = {cst.LessThan: "<=", cst.LessThanEqual: "<", cst.GreaterThan: ">=", cst.GreaterThanEqual: ">"}


class ComparisonFlip(Swap[cst.ComparisonTarget]):
    """Tests for the opposite: `==` for `!=`, `in` for `not in`, `is` for `is not`, `<` for `>`."""

    name = "comparison_flip"
    on = (cst.ComparisonTarget,)
    others = {
        cst.Equal: "!=",
        cst.NotEqual: "==",
        cst.Is: "is not",
        cst.IsNot: "is",
        cst.In: "not in",
        cst.NotIn: "in",
        cst.LessThan: ">",
        cst.GreaterThan: "<",
        cst.LessThanEqual: ">=",
        cst.GreaterThanEqual: "<=",
    }


class BooleanOperator(Operator[cst.BooleanOperation]):
    """Mixes up `and` with `or`."""

    name = "boolean_operator"
    on = (cst.BooleanOperation,)

    def changes(self, node: cst.BooleanOperation, at: Place) -> Iterator[Edits]:
        yield at.within(node.operator, "or" if isinstance(node.operator, cst.And) else "and")


class ConditionPartDropped(Operator[cst.BooleanOperation]):
    """Forgets one half of an `and` or `or`."""

    name = "condition_part_dropped"
    on = (cst.BooleanOperation,)

    def changes(self, node: cst.BooleanOperation, at: Place) -> Iterator[Edits]:
        if ":=" in at.code(node):  # the other half, or what follows, may use the name
            return
        yield at.within(node, at.code(node.left))
        yield at.within(node, at.code(node.right))


class NotRemoved(Operator[cst.UnaryOperation]):
    """Forgets a `not`."""

    name = "not_removed"
    on = (cst.UnaryOperation,)

    def changes(self, node: cst.UnaryOperation, at: Place) -> Iterator[Edits]:
        if isinstance(node.operator, cst.Not):
            yield at.within(node, at.code(node.expression))


class ConditionInverted(Operator[cst.If | cst.While | cst.CompIf]):
    """Acts when a condition does not hold instead of when it does (comparisons are left to `comparison_flip`)."""

    name = "condition_inverted"
    on = (cst.If, cst.While, cst.CompIf)

    def changes(self, node: cst.If | cst.While | cst.CompIf, at: Place) -> Iterator[Edits]:
        test = node.test
        negated = isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not)
        single = isinstance(test, cst.Comparison) and len(test.comparisons) == 1
        with_else = isinstance(node, cst.If) and isinstance(node.orelse, cst.Else)  # `branches_swapped` says the same
        if negated or single or with_else or at.code(test) in ("True", "1"):
            return
        yield at.instead(test, f"not {at.tight(test)}")
