"""Mistakes in assignments and in the use of variables."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from generators.swe.mutations.operators.likeness import likest
from generators.swe.mutations.operators.operator import Operator
from generators.swe.mutations.place import Edits, Place, block_of, only


class AssignmentRemoved(Operator[cst.SimpleStatementLine]):
    """Forgets to update a variable that has a value already, an attribute or an item."""

    name = "assignment_removed"
    on = (cst.SimpleStatementLine,)

    def changes(self, node: cst.SimpleStatementLine, at: Place) -> Iterator[Edits]:
        small = only(node)
        if at.function is None:
            return
        if isinstance(small, cst.Assign) and len(small.targets) == 1:
            target: cst.BaseExpression = small.targets[0].target
        elif isinstance(small, cst.AugAssign):
            target = small.target
        else:
            return
        if isinstance(target, cst.Attribute | cst.Subscript) or at.code(target) in at.bound:
            yield at.drop(node)


class StatementsSwapped(Operator[cst.SimpleStatementLine]):
    """Does two things in the wrong order, where the second needs the first (never one that leaves a name unbound)."""

    name = "statements_swapped"
    on = (cst.SimpleStatementLine,)

    def changes(self, node: cst.SimpleStatementLine, at: Place) -> Iterator[Edits]:
        target = _target(node)
        if at.function is None or target is None:
            return
        siblings = block_of(at.parent)
        index = next(i for i, sibling in enumerate(siblings) if sibling is node)
        following = siblings[index + 1] if index + 1 < len(siblings) else None
        if following is None or not isinstance(only(following), cst.Assign | cst.AugAssign | cst.Expr | cst.Return):
            return
        if isinstance(only(following), cst.Return) or at.code(node) == at.code(following):
            return
        if isinstance(target, cst.Name) and target.value not in at.bound:
            return
        if re.search(rf"(?<![\w.]){re.escape(at.code(target))}(?!\w)", at.code(following)) is None:
            return
        here, there = at.lines(node), at.lines(following)
        if here is not None and there is not None:
            inner = at.tree.inner
            yield at.swap(
                (inner[node][0], at.end_of_line(node)),
                (inner[following][0], at.end_of_line(following)),
            )


class VariableMisused(Operator[cst.Name]):
    """Uses another variable of the function, the one whose name is most like the right one."""

    name = "variable_misused"
    on = (cst.Name,)
    _elsewhere = (cst.Call, cst.AssignTarget, cst.Return, cst.For, cst.CompFor, cst.Param, cst.NamedExpr, cst.Element)

    def changes(self, node: cst.Name, at: Place) -> Iterator[Edits]:
        if node.value not in at.bound or len(at.bound) < 2:
            return
        parent = at.parent
        if isinstance(parent, self._elsewhere):
            called_or_stored = not isinstance(parent, cst.For | cst.CompFor) or node is parent.target
            if called_or_stored and not (isinstance(parent, cst.Element) and _is_loaded(at)):
                return
        other = likest(node.value, at.bound)
        if other is not None:
            yield at.within(node, other)


def _is_loaded(at: Place) -> bool:
    """Whether the tuple or list around an element is a value, not what is assigned to."""
    holder = at.parents[-3] if len(at.parents) > 2 else None
    return not isinstance(holder, cst.AssignTarget | cst.For | cst.CompFor | cst.Element)


def _target(node: cst.CSTNode) -> cst.BaseExpression | None:
    """What a statement of one line assigns to, if that is one name, attribute or item."""
    small = only(node)
    if isinstance(small, cst.AugAssign):
        return small.target
    if not isinstance(small, cst.Assign) or len(small.targets) != 1:
        return None
    target = small.targets[0].target
    return target if isinstance(target, cst.Name | cst.Attribute | cst.Subscript) else None
