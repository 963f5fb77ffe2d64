"""Mistakes in sums: operators, operands and signs."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from generators.swe.mutations.operators.operator import Operator, Swap
from generators.swe.mutations.place import Edits, Place, called

_TEXTS = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)
_GATHERED = (*_TEXTS, cst.List, cst.Tuple, cst.Dict, cst.Set, cst.ListComp, cst.DictComp, cst.SetComp)


def is_gathered(node: cst.BaseExpression) -> bool:
    """Whether an expression is seen to be a text or a collection, on which other arithmetic would only crash."""
    if isinstance(node, cst.BinaryOperation):
        return is_gathered(node.left) or is_gathered(node.right)
    return isinstance(node, _GATHERED) or called(node) in ("str", "repr", "join", "format", "list", "tuple")


class ArithmeticOperator(Swap[cst.BinaryOperation]):
    """Writes a neighbouring operator: `-` for `+`, `/` for `//`, `&` for `|`."""

    name = "arithmetic_operator"
    on = (cst.BinaryOperation,)
    others = {
        cst.Add: "-",
        cst.Subtract: "+",
        cst.Multiply: "//",
        cst.Divide: "*",
        cst.FloorDivide: "/",
        cst.Modulo: "//",
        cst.Power: "*",
        cst.LeftShift: ">>",
        cst.RightShift: "<<",
        cst.BitAnd: "|",
        cst.BitOr: "&",
        cst.BitXor: "|",
    }

    def changes(self, node: cst.BinaryOperation, at: Place) -> Iterator[Edits]:
        if not is_gathered(node):
            yield from super().changes(node, at)


class AugmentedOperator(Swap[cst.AugAssign]):
    """Counts down instead of up: `-=` for `+=`."""

    name = "augmented_operator"
    on = (cst.AugAssign,)
    others = {
        cst.AddAssign: "-=",
        cst.SubtractAssign: "+=",
        cst.MultiplyAssign: "//=",
        cst.DivideAssign: "*=",
        cst.FloorDivideAssign: "*=",
        cst.ModuloAssign: "//=",
        cst.BitAndAssign: "|=",
        cst.BitOrAssign: "&=",
        cst.BitXorAssign: "|=",
        cst.LeftShiftAssign: ">>=",
        cst.RightShiftAssign: "<<=",
    }

    def changes(self, node: cst.AugAssign, at: Place) -> Iterator[Edits]:
        if not is_gathered(node.value):
            yield from super().changes(node, at)


class AccumulationLost(Operator[cst.AugAssign]):
    """Sets where it should add: `=` for `+=`."""

    name = "accumulation_lost"
    on = (cst.AugAssign,)

    def changes(self, node: cst.AugAssign, at: Place) -> Iterator[Edits]:
        if isinstance(node.operator, cst.AddAssign | cst.SubtractAssign | cst.BitOrAssign | cst.MultiplyAssign):
            yield at.within(node.operator, "=")


class OperandSwap(Operator[cst.BinaryOperation]):
    """Takes the operands in the wrong order, where order matters: `b - a`, `suffix + "name"`."""

    name = "operand_swap"
    on = (cst.BinaryOperation,)
    _ordered = (cst.Subtract, cst.Divide, cst.FloorDivide, cst.Modulo, cst.Power, cst.LeftShift, cst.RightShift)

    def changes(self, node: cst.BinaryOperation, at: Place) -> Iterator[Edits]:
        left, right = node.left, node.right
        joined = isinstance(node.operator, cst.Add) and (is_gathered(left) or is_gathered(right))
        if not joined and (not isinstance(node.operator, self._ordered) or is_gathered(node)):
            return
        if at.code(left) != at.code(right):
            outer = at.tree.outer
            yield at.put(outer[left], at.tight(right)), at.put(outer[right], at.tight(left))


class SignRemoved(Operator[cst.UnaryOperation]):
    """Forgets a minus (or a `~`) in front of a value."""

    name = "sign_removed"
    on = (cst.UnaryOperation,)

    def changes(self, node: cst.UnaryOperation, at: Place) -> Iterator[Edits]:
        if isinstance(node.operator, cst.Minus | cst.BitInvert) and not isinstance(at.parent, cst.Index | cst.Slice):
            yield at.within(node, at.code(node.expression))
