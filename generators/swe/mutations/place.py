"""What an operator sees of the place it is asked about: code, surroundings, names in scope, and how to edit it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import libcst as cst

from generators.swe.mutations.site import NEWLINE, Edit
from generators.swe.mutations.tree import Span, Tree

Edits = tuple[Edit, ...]
Loop = cst.For | cst.While

ATOMS = (
    cst.Name,
    cst.Attribute,
    cst.Call,
    cst.Subscript,
    cst.Integer,
    cst.Float,
    cst.SimpleString,
    cst.List,
    cst.Dict,
    cst.Set,
    cst.ListComp,
    cst.DictComp,
    cst.SetComp,
)
"""Expressions that need no parentheses anywhere."""
_WORD = re.compile(r"\w")
_BLANK = re.compile(r"[ \t\f]*\Z")
_REST = re.compile(r"[ \t\f;]*(?:#[^\r\n]*)?")


@dataclass(slots=True)
class Scope:
    """A function (or lambda) and the local names that surely hold a value where the walk is."""

    function: cst.FunctionDef | None
    bound: dict[str, None]
    """Names in the order in which they were bound."""
    foreign: set[str] = field(default_factory=set)
    """Names that `global` or `nonlocal` claims."""


@dataclass(slots=True)
class Place:
    """Where the walk is; `parents` are the nodes above, outermost first."""

    tree: Tree
    parents: list[cst.CSTNode] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    loops: list[Loop | None] = field(default_factory=list)
    """Loops around the place in this function; None marks a function's edge."""
    names: list[str] = field(default_factory=list)
    """Functions and classes around the place."""

    @property
    def parent(self) -> cst.CSTNode:
        """The node right above."""
        return self.parents[-1]

    @property
    def function(self) -> cst.FunctionDef | None:
        """The function around the place; None at the top level of modules and classes, and in a lambda."""
        return self.scopes[-1].function if self.scopes else None

    @property
    def bound(self) -> dict[str, None]:
        """Local names that hold a value here; empty outside functions."""
        return self.scopes[-1].bound if self.scopes else {}

    @property
    def loop(self) -> Loop | None:
        """The innermost loop in this function."""
        return self.loops[-1] if self.loops else None

    def code(self, node: cst.CSTNode) -> str:
        """The node as it is written, own parentheses included."""
        return self.tree.code(node)

    def tight(self, node: cst.BaseExpression) -> str:
        """The expression as an operand of anything: in parentheses unless it needs none."""
        code = self.code(node)
        return code if node.lpar or isinstance(node, ATOMS) else f"({code})"

    def put(self, span: Span, text: str) -> Edit:
        """`text` in the place of `span`, with a space where it would otherwise grow together with a neighbour."""
        start, end = span
        whole = self.tree.text
        if text and start and _WORD.match(whole[start - 1]) and (_WORD.match(text[0]) or text[0] in "\"'."):
            text = " " + text
        if text and end < len(whole) and _WORD.match(text[-1]) and _WORD.match(whole[end]):
            text += " "
        return Edit(start, end, text)

    def instead(self, node: cst.CSTNode, text: str) -> Edits:
        """`text` instead of the node; an expression's own parentheses go with it."""
        spans = self.tree.outer if isinstance(node, cst.BaseExpression) else self.tree.inner
        return (self.put(spans[node], text),)

    def within(self, node: cst.CSTNode, text: str) -> Edits:
        """`text` instead of the node, inside the parentheses that it may have."""
        return (self.put(self.tree.inner[node], text),)

    def swap(self, one: Span, other: Span) -> Edits:
        """The texts of two spans exchanged; nothing where they are alike."""
        first, second = sorted((one, other))
        text = self.tree.text
        a, b = text[slice(*first)], text[slice(*second)]
        return () if a == b else (self.put(first, b), self.put(second, a))

    def lines(self, node: cst.CSTNode, *, start: cst.CSTNode | None = None, above: bool = True) -> Span | None:
        """The whole lines of a statement (from `start`, such as its first decorator), with the comment behind it.

        With `above` the comment lines right above it too; not at the left margin, where they may be a coding cookie or
        a licence. None where it shares a line with something else.
        """
        text = self.tree.text
        begin, end = self.tree.inner[start or node][0], self.end_of_line(node)
        head = max(text.rfind("\n", 0, begin), text.rfind("\r", 0, begin)) + 1
        newline = NEWLINE.match(text, end)
        if not _BLANK.match(text[head:begin]) or (newline is None and end < len(text)):
            return None
        indent = text[head:begin]
        while above and indent and head:
            line = text.rfind("\n", 0, head - 1) + 1
            if not text.startswith(indent + "#", line) or "\r" in text[line : head - 2]:
                break
            head = line
        return head, newline.end() if newline else end

    def end_of_line(self, node: cst.CSTNode) -> int:
        """Where the line ends on which the node ends, its comment included and its newline not."""
        rest = _REST.match(self.tree.text, self.tree.inner[node][1])
        assert rest is not None  # the pattern matches an empty text
        return rest.end()

    def drop(self, statement: cst.CSTNode, *, start: cst.CSTNode | None = None) -> Edits:
        """The statement removed, with comments right above it; ``pass`` where its block would be empty."""
        siblings = block_of(self.parent)
        if len(siblings) < 2:
            begin = self.tree.inner[start or statement][0]
            return (self.put((begin, self.tree.inner[statement][1]), "pass"),)
        lines = self.lines(statement, start=start)
        return () if lines is None else (Edit(*lines, ""),)

    def without(self, items: Sequence[cst.Arg], index: int) -> Edits:
        """An argument (or base class) removed from its list, with the comma that it no longer needs."""
        inner, outer = self.tree.inner, self.tree.outer
        if index + 1 < len(items):
            return (Edit(inner[items[index]][0], inner[items[index + 1]][0], ""),)
        if index:
            return (Edit(inner[items[index - 1]][1], inner[items[index]][1], ""),)
        return (Edit(*outer[items[index]], ""),)

    def block_lines(self, block: cst.BaseSuite, *, after: cst.CSTNode | None = None) -> Span | None:
        """The lines of an indented block (those behind the statement `after`), last newline left out."""
        if not isinstance(block, cst.IndentedBlock) or not block.body or after is block.body[-1]:
            return None
        start = self.tree.outer[block.header][1]
        if after is not None:
            newline = NEWLINE.match(self.tree.text, self.end_of_line(after))
            if newline is None:
                return None
            start = newline.end()
        return start, self.end_of_line(block.body[-1])

    def indent(self, node: cst.CSTNode) -> str:
        """The whitespace between the start of its first line and the node."""
        begin = self.tree.inner[node][0]
        text = self.tree.text
        return text[max(text.rfind("\n", 0, begin), text.rfind("\r", 0, begin)) + 1 : begin]


def block_of(node: cst.CSTNode) -> Sequence[cst.CSTNode]:
    """The statements of a block or module; empty for anything else."""
    if isinstance(node, cst.IndentedBlock | cst.Module | cst.SimpleStatementSuite):
        return node.body
    return ()


def only(node: cst.CSTNode) -> cst.BaseSmallStatement | None:
    """The statement of a line that holds just one."""
    return node.body[0] if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1 else None


def called(node: cst.CSTNode) -> str:
    """The last name of what a call calls: ``strip`` of ``a.b.strip()``; empty for anything else."""
    if not isinstance(node, cst.Call):
        return ""
    return last_name(node.func)


def last_name(node: cst.CSTNode) -> str:
    """``c`` of ``a.b.c``, ``a`` of ``a``; empty for anything else."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def is_docstring(node: cst.CSTNode) -> bool:
    """Whether a statement is nothing but a string."""
    small = only(node)
    return isinstance(small, cst.Expr) and isinstance(small.value, cst.SimpleString | cst.ConcatenatedString)
