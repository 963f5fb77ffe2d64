"""Gives functions that were imported already the code of a changed file, where that is all that the change comes to."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

_FUNCTION = 0x03
"""CO_OPTIMIZED and CO_NEWLOCALS: bodies of functions have both, those of modules and classes do not."""

Pair = tuple[CodeType, CodeType]


class Unswappable(Exception):
    """The change is more than other code for the same functions; the message says what."""


class Functions:
    """The functions of one folder that there are in this process, by where they were written."""

    def __init__(self, folder: str) -> None:
        self._found: dict[tuple[str, str, int], list[FunctionType]] = {}
        self._compiled: dict[tuple[str, str], CodeType] = {}
        for function in gc.get_objects():
            if type(function) is FunctionType and function.__code__.co_filename.startswith(f"{folder}/"):
                self._found.setdefault(_place(function.__code__), []).append(function)

    def swaps(self, path: str, before: str, after: str) -> list[tuple[FunctionType, CodeType]]:
        """What to give which code, for the file `path` to behave as if `after` had been imported, not `before`.

        Only lines that no import ran may differ: the caller has seen to that. Raises Unswappable, SyntaxError.
        """
        if (path, before) not in self._compiled:
            self._compiled[path, before] = compile(before, path, "exec", dont_inherit=True)
        module = compile(after, path, "exec", dont_inherit=True)
        found: list[tuple[FunctionType, CodeType]] = []
        for (old, new), inner in _changed(self._compiled[path, before], module, inner=False):
            there = self._found.get(_place(old), [])
            if not there and not inner:
                raise Unswappable(f"nothing in this process has the code of {old.co_name}")
            for function in there:
                if _key(function.__code__) != _key(old):
                    raise Unswappable(f"{old.co_name} does not have the code that its file says")
                if function.__code__.co_freevars != new.co_freevars:
                    raise Unswappable(f"{old.co_name} closes over other names")
                found.append((function, new))
        return found


def _changed(old: CodeType, new: CodeType, *, inner: bool) -> Iterator[tuple[Pair, bool]]:
    """The pairs of functions' codes that differ; True: it is made anew whenever the function around it runs."""
    if _key(old) == _key(new):
        return
    inside = [[part for part in code.co_consts if isinstance(part, CodeType)] for code in (old, new)]
    same = [part.co_name for part in inside[0]] == [part.co_name for part in inside[1]]
    is_function = old.co_flags & _FUNCTION == _FUNCTION
    if is_function:
        yield (old, new), inner
    elif not same or _own(old) != _own(new):
        raise Unswappable(f"what {old.co_name} does while it is imported changes")
    if not same:
        if inside[0]:
            raise Unswappable(f"{old.co_name} defines other functions")
        return
    for one, other in zip(*inside):  # noqa: B905  (Python 3.9 has no strict)
        yield from _changed(one, other, inner=inner or is_function)


def _place(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_name, code.co_firstlineno


def _own(code: CodeType) -> tuple[Any, ...]:
    """All of a code that matters to what it does, but for the codes inside and the lines."""
    return (
        code.co_code,
        tuple(_constant(part) for part in code.co_consts if not isinstance(part, CodeType)),
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_flags,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        getattr(code, "co_exceptiontable", b""),
    )


def _key(code: CodeType) -> tuple[Any, ...]:
    """The same, and of the codes inside."""
    return (code.co_name, _own(code), tuple(_key(part) for part in code.co_consts if isinstance(part, CodeType)))


def _constant(value: Any) -> Any:
    """What tells constants apart that compare equal: 1, 1.0 and True."""
    if isinstance(value, (tuple, frozenset)):
        parts = [_constant(part) for part in value]
        return type(value).__name__, parts if isinstance(value, tuple) else sorted(map(repr, parts))
    return type(value).__name__, repr(value)
