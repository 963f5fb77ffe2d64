"""Mistakes in branches: dropped, swapped, or without their guard."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from generators.swe.mutations.operators.operator import Operator
from generators.swe.mutations.place import Edits, Place, block_of, only
from generators.swe.mutations.site import Edit

_LEAVES = (cst.Return, cst.Raise, cst.Continue, cst.Break)


def is_elif(node: cst.If, at: Place) -> bool:
    """Whether an `if` is the `elif` of another."""
    return isinstance(at.parent, cst.If) and at.parent.orelse is node


def leaves(node: cst.BaseSuite) -> bool:
    """Whether a block is a short way out: it ends in a return, a raise, a continue or a break."""
    body = block_of(node)
    if not 1 <= len(body) <= 3:
        return False
    return isinstance(body[-1] if isinstance(node, cst.SimpleStatementSuite) else only(body[-1]), _LEAVES)


class BranchesSwapped(Operator[cst.If | cst.IfExp]):
    """Writes what belongs under `if` under `else`, and the other way round."""

    name = "branches_swapped"
    on = (cst.If, cst.IfExp)

    def changes(self, node: cst.If | cst.IfExp, at: Place) -> Iterator[Edits]:
        if isinstance(node, cst.IfExp):
            if at.code(node.body) != at.code(node.orelse):
                outer = at.tree.outer
                yield at.put(outer[node.body], at.tight(node.orelse)), at.put(outer[node.orelse], at.tight(node.body))
            return
        if not isinstance(node.orelse, cst.Else):
            return
        one, other = node.body, node.orelse.body
        here, there = at.block_lines(one), at.block_lines(other)
        if here is None or there is None or at.indent(block_of(one)[0]) != at.indent(block_of(other)[0]):
            return
        if [at.code(s) for s in block_of(one)] != [at.code(s) for s in block_of(other)]:
            yield at.swap(here, there)


class BranchDropped(Operator[cst.If]):
    """Forgets a case: an `else`, an `elif`, or all that happens under an `if`."""

    name = "branch_dropped"
    on = (cst.If,)

    def changes(self, node: cst.If, at: Place) -> Iterator[Edits]:
        inner = at.tree.inner
        if isinstance(node.orelse, cst.Else):
            lines = at.lines(node.orelse)
            if lines is not None:
                yield (Edit(*lines, ""),)
        if isinstance(node.orelse, cst.If):  # from `if` up to the next `elif`, which then takes its place
            keyword = "elif" if is_elif(node, at) else "if"
            yield (Edit(inner[node][0], inner[node.orelse][0] + len("elif"), keyword),)
        elif node.orelse is None and is_elif(node, at):
            lines = at.lines(node)
            if lines is not None:
                yield (Edit(*lines, ""),)
        elif node.orelse is None and not leaves(node.body):
            yield at.drop(node)


class GuardRemoved(Operator[cst.If]):
    """Forgets an early way out: `if not items: return None`, `if n < 0: raise ...`."""

    name = "guard_removed"
    on = (cst.If,)

    def changes(self, node: cst.If, at: Place) -> Iterator[Edits]:
        if node.orelse is None and leaves(node.body) and not is_elif(node, at):
            yield at.drop(node)


class HandlerRemoved(Operator[cst.Try]):
    """Forgets an exception that can come, or to clean up in a `finally`."""

    name = "handler_removed"
    on = (cst.Try,)

    def changes(self, node: cst.Try, at: Place) -> Iterator[Edits]:
        parts: list[cst.CSTNode] = list(node.handlers) if len(node.handlers) > 1 else []
        if node.finalbody is not None and node.handlers:
            parts.append(node.finalbody)
        for part in parts:
            lines = at.lines(part)
            if lines is not None:
                yield (Edit(*lines, ""),)
