"""Makes a script that shows what a test found: the failed statement, and what it needs."""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence

from generators.swe.statements.moment import Function
from generators.swe.statements.names import bound, changed, free, used

MOST_LINES = 45
"""A longer script is no report that anybody reads."""


def script(setting: Sequence[ast.stmt], function: Function, path: Sequence[ast.stmt], shown: str | None) -> str:
    """Python source that runs as it stands; empty where a name would be missing (a fixture, `self`) or it is too long.

    `path`: the failed statement and those around it, outermost first; empty: not known, and the whole body is shown.
    `shown`: what takes the place of the failed statement, where that stands on the test's own level.
    """
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if path:
        last: list[ast.stmt] = [path[0]]
        if shown is not None and not any(isinstance(n, ast.For | ast.While | ast.AsyncFor) for n in path):
            nested = [node for node in path[:-1] if not _expects(node)]
            if not nested:
                last = ast.parse(shown).body
        elif len(path) > 1:
            last = [_only(path)]
        before = body[: next(i for i, node in enumerate(body) if node.lineno == path[0].lineno)]
        body = _slice(before, last)
    chosen = _slice(setting, body)[: -len(body) or None]
    if not body or free([*chosen, *body]):
        return ""
    text = _joined(chosen, _awaited(function, body))
    return text if text.count("\n") < MOST_LINES else ""


def _expects(node: ast.stmt) -> bool:
    """Whether it is a `with pytest.raises(...)`."""
    return isinstance(node, ast.With | ast.AsyncWith) and "raises" in ast.unparse(node.items[0].context_expr)


def _only(path: Sequence[ast.stmt]) -> ast.stmt:
    """The outermost statement of `path` without the assertions that did not fail."""

    class Without(ast.NodeTransformer):
        def visit_Assert(self, node: ast.Assert) -> ast.stmt:
            return node if (node.lineno, node.col_offset) == (path[-1].lineno, path[-1].col_offset) else ast.Pass()

    made = Without().visit(copy.deepcopy(path[0]))
    assert isinstance(made, ast.stmt)
    return made


def _slice(before: Sequence[ast.stmt], last: Sequence[ast.stmt]) -> list[ast.stmt]:
    """`last`, after those of `before` that it depends on; assertions among them only where they move something on."""
    wanted = set().union(*(used(node) for node in last)) if last else set()
    stateful = _stateful(before)
    kept: list[ast.stmt] = []
    for node in reversed(before):
        if isinstance(node, ast.Assert):
            if not changed(node) & wanted & stateful:
                continue
            node = ast.Expr(node.test)
        elif "*" not in bound(node) and not changed(node) & wanted:
            continue
        kept.insert(0, node)
        if isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
            wanted -= bound(node)  # what it had before does not matter
        wanted |= used(node)
    return [*kept, *last]


def _stateful(before: Sequence[ast.stmt]) -> set[str]:
    """Names that are bound to what a call gave back: only these can be used up by an assertion."""
    found: set[str] = set()
    for node in before:
        if isinstance(node, ast.Assign) and any(isinstance(part, ast.Call) for part in ast.walk(node.value)):
            found |= bound(node)
    return found


def _awaited(function: Function, body: list[ast.stmt]) -> list[ast.stmt]:
    """The body of an async test, run by asyncio."""
    waits = (ast.Await, ast.AsyncFor, ast.AsyncWith)
    if not isinstance(function, ast.AsyncFunctionDef) or not any(
        isinstance(part, waits) for node in body for part in ast.walk(node)
    ):
        return body
    inner = "\n".join(f"    {line}" for node in body for line in ast.unparse(node).splitlines())
    return ast.parse(f"import asyncio\nasync def main():\n{inner}\nasyncio.run(main())").body


def _joined(setting: Sequence[ast.stmt], body: Sequence[ast.stmt]) -> str:
    """One text; definitions stand apart, as people write them."""
    lines: list[str] = []
    imports = [node for node in (*setting, *body) if isinstance(node, ast.Import | ast.ImportFrom)]
    rest = [node for node in (*setting, *body) if node not in imports]
    lines += dict.fromkeys(ast.unparse(node) for node in imports)
    if lines and rest:
        lines.append("")
    for node in rest:
        text = ast.unparse(node)
        lines += [text, ""] if isinstance(node, Function | ast.ClassDef) else [text]
    return "\n".join(lines).strip()
