"""What the parameters of a test stand for, out of its `pytest.mark.parametrize` and the label in its node id."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence

_Owner = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Row = tuple[str, list[tuple[str, ast.expr]]]
"""The label of a row, and names with the expressions that they stand for."""


def parameters(owners: Sequence[_Owner], label: str) -> str:
    """Assignments, one a line; empty where the label cannot be told, or more than one row has it.

    `owners` are the function and the classes around it, innermost first: pytest joins labels in the order in which
    decorators are applied, the one nearest to the function first.
    """
    tables = [list(_rows(mark)) for owner in owners for mark in reversed(owner.decorator_list) if _is_mark(mark)]
    if not tables or not all(tables):
        return ""
    fits = [rows for rows in itertools.islice(itertools.product(*tables), 10_000) if _joined(rows) == label]
    if len(fits) != 1:
        return ""
    return "\n".join(f"{name} = {ast.unparse(value)}" for _, pairs in fits[0] for name, value in pairs)


def _joined(rows: Sequence[_Row]) -> str:
    return "-".join(label for label, _ in rows)


def _is_mark(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "parametrize"


def _rows(mark: ast.expr) -> Iterator[_Row]:
    assert isinstance(mark, ast.Call)
    given = {word.arg: word.value for word in mark.keywords}
    heads = [*mark.args, *(given[key] for key in ("argnames", "argvalues") if key in given)]
    if len(heads) < 2 or not isinstance(heads[1], ast.List | ast.Tuple):
        return
    names = _names(heads[0])
    ids = given.get("ids")
    labels = ids.elts if isinstance(ids, ast.List | ast.Tuple) else []
    for index, row in enumerate(heads[1].elts):
        label = _text(labels[index]) if index < len(labels) else None
        values = [row] if len(names) == 1 else list(getattr(row, "elts", []))
        if isinstance(row, ast.Call) and ast.unparse(row.func) in ("pytest.param", "param"):
            values = row.args
            label = next((_text(word.value) for word in row.keywords if word.arg == "id"), label)
        if len(values) == len(names):
            shown = label or "-".join(_label(v, name, index) for name, v in zip(names, values, strict=True))
            yield shown, list(zip(names, values, strict=True))


def _names(node: ast.expr) -> list[str]:
    if isinstance(node, ast.List | ast.Tuple):
        return [text for each in node.elts if (text := _text(each))]
    return [name.strip() for name in (_text(node) or "").split(",") if name.strip()]


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _label(node: ast.expr, name: str, index: int) -> str:
    """A value's label as pytest makes it: plain values are themselves, names of functions too, others are counted."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return node.id if isinstance(node, ast.Name) and node.id[:1].isalpha() else f"{name}{index}"
    if isinstance(value, str):
        return value.encode("unicode_escape").decode()
    return str(value) if value is None or isinstance(value, bool | int | float | complex) else f"{name}{index}"
