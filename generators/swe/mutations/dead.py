"""Code in which a change would show in no behaviour, or only in words: where no sites are looked for."""

from __future__ import annotations

import re

import libcst as cst

from generators.swe.mutations.place import called, is_docstring, last_name, only

METHODS = frozenset({"__repr__", "__dir__", "__sizeof__", "__del__", "__init_subclass__", "__class_getitem__"})
"""Methods for debuggers, interpreters and type checkers."""
DECORATORS = frozenset({"overload", "abstractmethod", "deprecated", "no_type_check"})
LONGEST_TABLE = 100
"""Elements of a literal list, tuple, set or dictionary."""
LOGGERS = frozenset({"log", "logger", "_log", "_logger", "logging", "LOG", "LOGGER", "warnings"})
_LOG_CALLS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
_TYPING = frozenset({"TypeVar", "ParamSpec", "TypeVarTuple", "NewType", "getLogger", "TypeAliasType"})
_DUNDER = re.compile(r"__\w+__\Z")
_PLATFORM = re.compile(
    r"\b(?:TYPE_CHECKING|__name__|__debug__|version_info|hexversion|platform|os\.name|PY2|PY3\w*|PYPY)\b"
)
_TYPES = re.compile(r"\b(?:typing|t)\.[A-Z]|\b(?:Callable|Union|Optional|Literal|Annotated|TypeAlias)\b")
_CONSTANT = re.compile(r"(?:False|0|None|True|1)\Z")


def is_dead(node: cst.CSTNode, code: str) -> bool:
    """Whether a statement is left alone, with all in it.

    `code` is the test of an `if` or `while`, or a line of a module's or class's top level, as written; else empty.

    So are docstrings, imports, asserts, `pass`, `global`; logging, warnings and `print`; names in double underscores,
    type variables and type aliases; overloads and abstract methods; debuggers' methods; protocols and typed dicts; what
    depends on constants, `TYPE_CHECKING`, `__name__`, versions and platforms; `try` around an import.
    """
    if isinstance(node, cst.FunctionDef):
        return node.name.value in METHODS or any(_decorates(d) in DECORATORS for d in node.decorators)
    if isinstance(node, cst.ClassDef):
        return any(last_name(base.value) in ("Protocol", "TypedDict", "NamedTuple") for base in node.bases)
    if isinstance(node, cst.If):
        return bool(_PLATFORM.search(code) or _CONSTANT.match(code))
    if isinstance(node, cst.While):
        return code in ("False", "0")
    if isinstance(node, cst.Try):
        return any(_catches_import(handler) for handler in node.handlers)
    if is_docstring(node):
        return True
    small = only(node)
    return small is not None and (_is_dead_line(small) or bool(_PLATFORM.search(code) or _TYPES.search(code)))


def is_log(node: cst.CSTNode) -> bool:
    """Whether an expression only tells somebody something."""
    if not isinstance(node, cst.Call):
        return False
    if isinstance(node.func, cst.Name):
        return node.func.value in ("print", "warn", "pprint")
    if not isinstance(node.func, cst.Attribute):
        return False
    owner = last_name(node.func.value)
    return owner in LOGGERS and called(node) in _LOG_CALLS


def is_table(node: cst.CSTNode) -> bool:
    """Whether a literal is data rather than code: a person's mistake is seldom in its thousandth entry."""
    return isinstance(node, cst.List | cst.Tuple | cst.Set | cst.Dict) and len(node.elements) > LONGEST_TABLE


def _is_dead_line(small: cst.BaseSmallStatement) -> bool:
    if isinstance(small, cst.Import | cst.ImportFrom | cst.Assert | cst.Pass | cst.Global | cst.Nonlocal):
        return True
    if isinstance(small, cst.Expr):
        return isinstance(small.value, cst.Ellipsis | cst.Name) or is_log(small.value)
    if isinstance(small, cst.Assign | cst.AnnAssign | cst.AugAssign):
        target = small.targets[0].target if isinstance(small, cst.Assign) else small.target
        return bool(_DUNDER.match(last_name(target))) or (small.value is not None and called(small.value) in _TYPING)
    return False


def _decorates(node: cst.Decorator) -> str:
    return called(node.decorator) or last_name(node.decorator)


def _catches_import(handler: cst.ExceptHandler) -> bool:
    kinds = handler.type
    names = [last_name(e.value) for e in kinds.elements] if isinstance(kinds, cst.Tuple) else []
    return bool({"ImportError", "ModuleNotFoundError"} & {*names, last_name(kinds) if kinds else ""})
