"""Reads an assertion and pytest's report of it: which side was computed, what it was and what it should have been."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

from generators.swe.statements.names import BUILTINS

_OPERATORS = {ast.Eq: "==", ast.Is: "is", ast.NotEq: "!=", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in"}
_UNITTEST = {"assertEqual": "==", "assertEquals": "==", "assertIs": "is", "assertTrue": "", "assertFalse": "not"}


@dataclass(frozen=True)
class Wrong:
    """An expectation that was not met."""

    kind: Literal["value", "false", "raised", "silent"]
    got: str
    expected: str
    shown: str
    """The line that a user runs to see it; may be several."""


def side_of(node: ast.stmt, reported: str) -> Wrong | None:
    """What an assertion expected; None: the statement is no assertion. `reported`: what pytest put after ``assert``."""
    test = _asserted(node)
    if test is None:
        return None
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq | ast.Is):
        left, right = test.left, test.comparators[0]
        values = _split(reported, _OPERATORS[type(test.ops[0])])
        if not _computes(left) and _computes(right):
            left, right, values = right, left, (values[1], values[0])
        if _plain(right):
            return Wrong("value", values[0], ast.unparse(right), _printed(left))
        same = f"`{ast.unparse(left)}` and `{ast.unparse(right)}` to be the same"
        return Wrong("false", "False", same, _printed(test))
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return Wrong("value", reported.removeprefix("not ") or "True", "False", _printed(test.operand))
    if isinstance(test, ast.Compare | ast.BoolOp):
        return Wrong("value", "False", "True", _printed(test))
    return Wrong("value", reported or "False", "True", _printed(test))


def _asserted(node: ast.stmt) -> ast.expr | None:
    if isinstance(node, ast.Assert):
        return node.test
    call = node.value if isinstance(node, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _UNITTEST):
        return None
    operator = _UNITTEST[call.func.attr]
    if operator in ("", "not") and call.args:
        return ast.UnaryOp(ast.Not(), call.args[0]) if operator else call.args[0]
    if len(call.args) < 2:
        return None
    return ast.Compare(call.args[0], [ast.Eq() if operator == "==" else ast.Is()], [call.args[1]])


def _computes(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Call | ast.Attribute | ast.Subscript | ast.BinOp) for part in ast.walk(node))


def _plain(node: ast.expr) -> bool:
    """Whether a reader of the expression sees the value."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)) or node.keywords:
            return False
        return (node.func.id in BUILTINS or node.func.id[:1].isupper()) and all(map(_plain, node.args))
    return True


def _printed(node: ast.expr) -> str:
    return f"print({ast.unparse(node)})"


def _split(reported: str, operator: str) -> tuple[str, str]:
    """The two values of a reported comparison; empty where it cannot be told where one ends."""
    try:
        tree = ast.parse(reported, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        parts = reported.split(f" {operator} ")
        return (parts[0], parts[1]) if len(parts) == 2 else ("", "")
    if isinstance(tree, ast.Compare) and len(tree.ops) == 1:
        left = ast.get_source_segment(reported, tree.left) or ""
        return left, ast.get_source_segment(reported, tree.comparators[0]) or ""
    return "", ""
