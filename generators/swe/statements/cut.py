"""Cuts one test out of its file, together with what else of the file it needs."""

from __future__ import annotations

import ast
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import PurePosixPath

from generators.swe.statements.names import bound, used
from generators.swe.statements.parameters import parameters

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Cut:
    """Text of a test; all empty where it was not found."""

    source: str = ""
    setting: str = ""
    line: int = 0


def cut(test: str, text: str) -> Cut:
    """The test with the node id `test` in the file `text`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of others' files: invalid escapes
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return Cut()
    path, _, rest = test.partition("::")
    name, bracket, label = rest.partition("[")
    owners, function = _find(tree, name.split("::"))
    if function is None:
        return Cut()
    first = min([function.lineno, *(node.lineno for node in function.decorator_list)])
    lines = text.splitlines(keepends=True)
    source = textwrap.dedent("".join(lines[first - 1 : function.end_lineno]))
    given = parameters([function, *owners], label.removesuffix("]")) if bracket else ""
    setting = [*_needed(tree, used(function) | used(ast.parse(given)), path), *([given] if given else [])]
    return Cut(source, "\n".join(setting), first)


def _find(tree: ast.Module, names: list[str]) -> tuple[list[ast.ClassDef], _Function | None]:
    """The classes around a function, innermost first, and the function."""
    owners: list[ast.ClassDef] = []
    body: list[ast.stmt] = tree.body
    for name in names[:-1]:
        owner = next((node for node in body if isinstance(node, ast.ClassDef) and node.name == name), None)
        if owner is None:
            return [], None
        owners.insert(0, owner)
        body = owner.body
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in body if isinstance(node, kinds) and node.name == names[-1]]
    return owners, found[-1] if found else None


def _needed(tree: ast.Module, names: set[str], path: str) -> list[str]:
    """The statements of a file's top level that give `names` their values, and theirs in turn, in their order."""
    chosen: set[int] = set()
    wanted = set(names)
    grown = True
    while grown:
        grown = False
        for index, node in enumerate(tree.body):
            if index in chosen or not (bound(node) & wanted or "*" in bound(node)) or _is_test(node):
                continue
            chosen.add(index)
            wanted |= used(node)
            grown = True
    return [text for index in sorted(chosen) if (text := _said(tree.body[index], wanted, path))]


def _is_test(node: ast.stmt) -> bool:
    """Test functions and classes are no part of another test's setting."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name.lower().startswith(
        "test"
    )


def _said(node: ast.stmt, wanted: set[str], path: str) -> str:
    """A statement's text; an import names only what is wanted, by its absolute path."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        kept = [a for a in node.names if a.name == "*" or (a.asname or a.name.partition(".")[0]) in wanted]
        if isinstance(node, ast.Import):
            return ast.unparse(ast.Import(names=kept))
        module = _absolute(node, path)
        return "" if module == "__future__" else ast.unparse(ast.ImportFrom(module=module, names=kept, level=0))
    return ast.unparse(node)


def _absolute(node: ast.ImportFrom, path: str) -> str:
    """The module that is imported from, as seen from outside of the package."""
    if not node.level:
        return node.module or ""
    folders = PurePosixPath(path).parent.parts
    folders = folders[: len(folders) - node.level + 1]
    if folders[:1] == ("src",):
        folders = folders[1:]
    return ".".join([*folders, *([node.module] if node.module else [])])
