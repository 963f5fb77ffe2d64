"""One walk over a file's tree that asks every operator about every place."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from typing import Any

import libcst as cst

from generators.swe.mutations.dead import is_dead, is_log, is_table
from generators.swe.mutations.operators.operator import Operator
from generators.swe.mutations.place import Edits, Place, Scope, block_of, only
from generators.swe.mutations.site import NEWLINE, Site
from generators.swe.mutations.tree import Tree

_ENDS = (cst.Return, cst.Raise, cst.Break, cst.Continue)
_QUIET_FIELDS = re.compile(
    r"whitespace|leading_lines|lines_after|^(lpar|rpar|lbracket|rbracket|lbrace|rbrace|comma|semicolon|colon|dot|equal"
    r"|annotation|returns|decorators|asynchronous|header|footer|type_parameters|indent|pattern|bases|keywords|first_colon"
    r"|second_colon|params|name|names|asname|target|targets|keyword|attr|star|exc|cause|format_spec|type)$"
)
"""Fields in which no behaviour lies, or that the walk handles by name."""


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if not _QUIET_FIELDS.search(f.name))


class Walk:
    """Finds the sites of one tree, in the order of the text."""

    def __init__(self, tree: Tree, operators: Iterable[Operator[Any]]) -> None:
        self.tree = tree
        self.operators: dict[type[cst.CSTNode], list[Operator[Any]]] = {}
        for operator in operators:
            for kind in operator.on:
                self.operators.setdefault(kind, []).append(operator)
        self.at = Place(tree)
        self.lines = [match.end() for match in NEWLINE.finditer(tree.text)]
        self.seen: set[Edits] = set()
        self.found: list[Site] = []

    def sites(self) -> list[Site]:
        """All of them; a change that two operators propose counts for the first."""
        self._inside(self.tree.module)
        return self.found

    def _node(self, node: cst.CSTNode) -> None:
        if is_log(node) or is_table(node):
            return
        for operator in self.operators.get(type(node), ()):
            for edits in operator.changes(node, self.at):
                if edits and edits not in self.seen:
                    self.seen.add(edits)
                    self.found.append(self._site(operator.name, edits))
        self._inside(node)

    def _inside(self, node: cst.CSTNode) -> None:
        self.at.parents.append(node)
        _SPECIAL.get(type(node), Walk._children)(self, node)
        self.at.parents.pop()

    def _children(self, node: cst.CSTNode) -> None:
        for name in _fields(type(node)):
            self._each(getattr(node, name))

    def _each(self, value: object) -> None:
        if isinstance(value, cst.CSTNode):
            self._node(value)
        elif isinstance(value, list | tuple):
            for item in value:
                self._node(item)

    def _block(self, node: cst.CSTNode) -> None:
        """Statements in turn, up to the first that leaves the block: what follows is never run."""
        for statement in block_of(node):
            if not self._is_dead(statement):
                self._node(statement)
            self._bind(statement)
            if isinstance(only(statement), _ENDS):
                break

    def _is_dead(self, statement: cst.CSTNode) -> bool:
        start = self.tree.inner[statement][0]
        newline = NEWLINE.search(self.tree.text, start)
        first = self.tree.text[start : newline.start() if newline else None]
        if "pragma: no cover" in first:
            return True
        said = statement.test if isinstance(statement, cst.If | cst.While) else statement
        whole = isinstance(said, cst.BaseExpression) or (self.at.function is None and only(said) is not None)
        return is_dead(statement, self.tree.code(said) if whole else "")

    def _module(self, node: cst.Module) -> None:
        self._block(node)

    def _function(self, node: cst.FunctionDef) -> None:
        names = [p.name.value for p in _params(node.params)]
        self._each(node.params)
        self.at.names.append(node.name.value)
        self.at.scopes.append(Scope(node, dict.fromkeys(names)))
        self.at.loops.append(None)
        self._node(node.body)
        self.at.loops.pop()
        self.at.scopes.pop()
        self.at.names.pop()

    def _class(self, node: cst.ClassDef) -> None:
        self.at.names.append(node.name.value)
        self.at.scopes.append(Scope(None, {}))
        self.at.loops.append(None)
        self._node(node.body)
        self.at.loops.pop()
        self.at.scopes.pop()
        self.at.names.pop()

    def _lambda(self, node: cst.Lambda) -> None:
        self.at.scopes.append(Scope(None, dict.fromkeys(p.name.value for p in _params(node.params))))
        self._node(node.body)
        self.at.scopes.pop()

    def _branching(self, node: cst.If | cst.Try | cst.TryStar | cst.Match) -> None:
        """Names that a branch binds are not surely bound behind it."""
        before = dict(self.at.bound)
        for name in ("test", "subject", "body", "cases", "handlers", "orelse", "finalbody"):
            part = getattr(node, name, None)
            if not (isinstance(part, cst.If) and self._is_dead(part)):
                self._each(part)
            self._forget(before)

    def _loop(self, node: cst.For | cst.While) -> None:
        head = node.iter if isinstance(node, cst.For) else node.test
        self._node(head)
        before = dict(self.at.bound)
        if isinstance(node, cst.For):
            self._node(node.target)
            self._add(node.target)
        self.at.loops.append(node)
        self._node(node.body)
        self.at.loops.pop()
        self._forget(before)
        self._each(node.orelse)
        self._forget(before)

    def _handler(self, node: cst.ExceptHandler | cst.MatchCase) -> None:
        before = dict(self.at.bound)
        if isinstance(node, cst.ExceptHandler) and node.name is not None:
            self._add(node.name.name)
        self._children(node)
        self._forget(before)

    def _with(self, node: cst.With) -> None:
        self._each(node.items)
        for item in node.items:
            if item.asname is not None:
                self._add(item.asname.name)
        self._node(node.body)

    def _assign(self, node: cst.Assign | cst.NamedExpr) -> None:
        if isinstance(node, cst.Assign):
            self._each(node.targets)
        self._node(node.value)

    def _target(self, node: cst.AssignTarget) -> None:
        self._node(node.target)

    def _comprehension(self, node: cst.CompFor) -> None:
        self._node(node.target)
        self._children(node)

    def _leaf(self, node: cst.Raise) -> None:
        """Nothing: of what is raised, the operators asked about the statement have seen all that matters."""

    def _parameters(self, node: cst.Parameters) -> None:
        for param in _params(node):
            self._node(param)

    def _bind(self, statement: cst.CSTNode) -> None:
        """Note the names that a statement of this block surely binds."""
        small = only(statement)
        scope = self.at.scopes[-1] if self.at.scopes else None
        if scope is None or scope.function is None:
            return
        if isinstance(small, cst.Assign):
            for target in small.targets:
                self._add(target.target)
        elif isinstance(small, cst.AnnAssign) and small.value is not None:
            self._add(small.target)
        elif isinstance(small, cst.Global | cst.Nonlocal):
            scope.foreign |= {item.name.value for item in small.names}
        elif isinstance(small, cst.Del):
            for name in [n for n in scope.bound if re.search(rf"\b{n}\b", self.tree.code(small))]:
                del scope.bound[name]

    def _add(self, target: cst.CSTNode) -> None:
        scope = self.at.scopes[-1] if self.at.scopes else None
        if scope is None or scope.function is None:
            return
        if isinstance(target, cst.Name):
            if target.value not in scope.foreign:
                scope.bound[target.value] = None
        elif isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self._add(element.value)

    def _forget(self, before: dict[str, None]) -> None:
        if self.at.scopes:
            bound = self.at.scopes[-1].bound
            for name in [name for name in bound if name not in before]:
                del bound[name]

    def _site(self, operator: str, edits: Edits) -> Site:
        edits = tuple(sorted(edits))
        first = bisect_right(self.lines, edits[0].start) + 1
        last = bisect_right(self.lines, max(edits[-1].start, edits[-1].end - 1)) + 1
        said = "; ".join(f"{_brief(self.tree.text[start:end])} → {_brief(new)}" for start, end, new in edits)
        return Site(operator, self.tree.source.path, ".".join(self.at.names), first, last, said, edits)


def _params(node: cst.Parameters) -> Iterable[cst.Param]:
    yield from (*node.posonly_params, *node.params, *node.kwonly_params)
    for extra in (node.star_arg, node.star_kwarg):
        if isinstance(extra, cst.Param):
            yield extra


def _brief(text: str) -> str:
    """A text in a line of at most 60 characters."""
    line = " ".join(text.split()) if text.strip() else text.replace(" ", "␣")
    return (line if len(line) <= 60 else f"{line[:40]} … {line[-17:]}") or "∅"


_SPECIAL: dict[type[cst.CSTNode], Any] = {
    cst.Module: Walk._module,
    cst.IndentedBlock: Walk._block,
    cst.SimpleStatementSuite: Walk._children,
    cst.FunctionDef: Walk._function,
    cst.ClassDef: Walk._class,
    cst.Lambda: Walk._lambda,
    cst.If: Walk._branching,
    cst.Try: Walk._branching,
    cst.TryStar: Walk._branching,
    cst.Match: Walk._branching,
    cst.MatchCase: Walk._handler,
    cst.ExceptHandler: Walk._handler,
    cst.For: Walk._loop,
    cst.While: Walk._loop,
    cst.With: Walk._with,
    cst.Assign: Walk._assign,
    cst.NamedExpr: Walk._assign,
    cst.AssignTarget: Walk._target,
    cst.CompFor: Walk._comprehension,
    cst.Raise: Walk._leaf,
    cst.Parameters: Walk._parameters,
}
