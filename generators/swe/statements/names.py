"""Names in Python code: which a statement gives a value to, which it needs, and which are left without one."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def bound(node: ast.AST) -> set[str]:
    """Names that a statement gives a value to where it stands; ``*`` for a star import."""
    if isinstance(node, _SCOPES):
        return {node.name}
    if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return set()
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Store) else set()
    found = {node.name} if isinstance(node, ast.ExceptHandler) and node.name else set()
    for child in ast.iter_child_nodes(node):
        found |= bound(child)
    return found


def changed(node: ast.AST) -> set[str]:
    """Names whose values a statement may change: what it binds, stores into, deletes, calls a method of or passes."""
    found = bound(node)
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load):
            found |= {root(part)}
        elif isinstance(part, ast.Delete):
            found |= {root(target) for target in part.targets}
        elif isinstance(part, ast.Call):
            parts = [part.func] if isinstance(part.func, ast.Attribute) else []
            found |= {root(each) for each in (*parts, *part.args, *(word.value for word in part.keywords))}
    return found - {""}


def root(node: ast.AST) -> str:
    """The name that an expression such as ``a.b[0]`` begins with; empty: none."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def used(node: ast.AST) -> set[str]:
    """Names that are read anywhere in it, local ones too."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


def free(statements: Iterable[ast.stmt]) -> set[str]:
    """Names that are read before anything gives a value to them; none where a star import may have."""
    body = list(statements)
    known = set(BUILTINS)
    for statement in body:
        known |= _inner(statement)
    missing: set[str] = set()
    for statement in body:
        if not isinstance(statement, _SCOPES):
            missing |= used(statement) - known - (bound(statement) if not isinstance(statement, ast.Assign) else set())
        known |= bound(statement)
    for statement in body:
        missing |= used(statement) - known if isinstance(statement, _SCOPES) else set()
    return set() if "*" in known else missing


def _inner(statement: ast.stmt) -> set[str]:
    """Names that live inside of lambdas, comprehensions and definitions."""
    found = {part.arg for part in ast.walk(statement) if isinstance(part, ast.arg)}
    for part in ast.walk(statement):
        if isinstance(part, ast.comprehension):
            found |= bound(part.target)
        elif isinstance(part, _SCOPES):
            found |= set().union(*(bound(child) for child in ast.walk(part) if child is not statement))
    return found
