"""Mistakes in loops and comprehensions."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from generators.swe.mutations.operators.operator import Operator
from generators.swe.mutations.place import Edits, Place, block_of, only
from generators.swe.mutations.site import Edit


class LoopExitChanged(Operator[cst.Break | cst.Continue]):
    """Writes `break` for `continue`, or the other way round (not where the loop would then never end)."""

    name = "loop_exit_changed"
    on = (cst.Break, cst.Continue)

    def changes(self, node: cst.Break | cst.Continue, at: Place) -> Iterator[Edits]:
        if isinstance(node, cst.Continue):
            yield at.within(node, "break")
        elif not isinstance(at.loop, cst.While):
            yield at.within(node, "continue")


class LoopRemoved(Operator[cst.For | cst.While]):
    """Forgets to do something for every item."""

    name = "loop_removed"
    on = (cst.For, cst.While)

    def changes(self, node: cst.For | cst.While, at: Place) -> Iterator[Edits]:
        if at.function is not None:
            yield at.drop(node)


class ReturnIndented(Operator[cst.For]):
    """Indents the `return` behind a loop into it, so that the first round is the last."""

    name = "return_indented"
    on = (cst.For,)

    def changes(self, node: cst.For, at: Place) -> Iterator[Edits]:
        siblings = block_of(at.parent)
        index = next(i for i, sibling in enumerate(siblings) if sibling is node) if siblings else len(siblings)
        following = siblings[index + 1] if index + 1 < len(siblings) else None
        if following is None or node.orelse is not None or not isinstance(node.body, cst.IndentedBlock):
            return
        if not isinstance(only(following), cst.Return) or at.lines(following) is None:
            return
        if isinstance(only(node.body.body[-1]), cst.Return | cst.Raise | cst.Break | cst.Continue):
            return  # it would never be reached
        begin, end = at.tree.inner[following]
        indent, deeper = at.indent(following), at.indent(node.body.body[0])
        if "\n" not in at.tree.text[begin:end] and deeper.startswith(indent) and deeper != indent:
            yield (Edit(begin - len(indent), begin, deeper),)


class FilterDropped(Operator[cst.CompFor]):
    """Forgets the `if` of a comprehension."""

    name = "filter_dropped"
    on = (cst.CompFor,)

    def changes(self, node: cst.CompFor, at: Place) -> Iterator[Edits]:
        for test in node.ifs:
            if ":=" not in at.code(test):
                yield (at.put(at.tree.outer[test], ""),)
