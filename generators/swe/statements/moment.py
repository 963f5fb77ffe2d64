"""Finds the statement of a test at which it failed, and what pytest said of it."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath

from generators.swe.statements.failing import Failing

Function = ast.FunctionDef | ast.AsyncFunctionDef
_POINTER = re.compile(r"^>\s+(\S.*?)\s*$", re.M)
_COMPARED = re.compile(r"^(?:E\s+)?(?:AssertionError: )?assert (.+)$", re.M)
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$", re.S)


def function_of(failing: Failing) -> Function | None:
    """The test's syntax tree, its lines counted from 1."""
    try:
        body = ast.parse(failing.source).body
    except SyntaxError:
        return None
    return body[0] if body and isinstance(body[0], Function) else None


def path_to(failing: Failing, function: Function) -> list[ast.stmt]:
    """The statement that failed and those around it, outermost first; empty where the traceback does not reach it.

    A statement of a function that the test defines is no part of it: there the call counts.
    """
    for line in _lines(failing):
        path = _at(function.body, line)
        if path:
            return path
    pointed = set(_POINTER.findall(failing.trace))
    lines = failing.source.splitlines()
    fits = [number for number, line in enumerate(lines, 1) if line.strip() in pointed]
    return _at(function.body, fits[0]) if len(fits) == 1 else []


def _lines(failing: Failing) -> list[int]:
    """Lines of the test's file that the traceback names, counted within the source; the last frame last."""
    name = re.escape(PurePosixPath(failing.test.partition("::")[0]).name)
    found = re.findall(rf"^(?:E?\s*)(?:\S*/)?{name}:(\d+):", failing.trace, re.M)
    return [int(number) - failing.line + 1 for number in found] if failing.line else []


def _at(body: list[ast.stmt], line: int) -> list[ast.stmt]:
    for node in body:
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            if isinstance(node, Function | ast.ClassDef):
                return []
            inner: list[ast.stmt] = []
            for name in ("body", "orelse", "finalbody", "handlers"):
                for child in getattr(node, name, []):
                    inner = inner or _at(child.body if isinstance(child, ast.ExceptHandler) else [child], line)
            return [node, *inner]
    return []


def compared(failing: Failing) -> str:
    """What pytest put after ``assert``, values in place of expressions; empty: no assertion of the test's was wrong."""
    if raised(failing) is not None:
        return ""
    found = _COMPARED.search(failing.message) or _COMPARED.search(failing.trace)
    return found[1] if found else ""


def raised(failing: Failing) -> tuple[str, str] | None:
    """Type and message of an exception that is no failed assertion; None: it was one, or pytest itself spoke."""
    found = _RAISED.match(failing.message)
    if found is None or failing.message.startswith(("assert ", "Failed", "timeout")):
        return None
    kind = found[1].rpartition(".")[2]
    if kind == "AssertionError" or not kind[:1].isupper():
        return None
    return kind, (found[2] or "").strip()
