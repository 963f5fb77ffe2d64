"""Mistakes in exceptions: caught or raised as another kind."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from generators.swe.mutations.operators.operator import Operator
from generators.swe.mutations.place import Edits, Place

_OTHER = {
    "KeyError": "IndexError",
    "IndexError": "KeyError",
    "LookupError": "KeyError",
    "ValueError": "TypeError",
    "TypeError": "ValueError",
    "AttributeError": "KeyError",
    "OSError": "ValueError",
    "IOError": "ValueError",
    "FileNotFoundError": "PermissionError",
    "PermissionError": "FileNotFoundError",
    "FileExistsError": "FileNotFoundError",
    "StopIteration": "IndexError",
    "RuntimeError": "ValueError",
    "UnicodeDecodeError": "UnicodeEncodeError",
    "UnicodeEncodeError": "UnicodeDecodeError",
    "UnicodeError": "LookupError",
    "ZeroDivisionError": "OverflowError",
    "OverflowError": "ZeroDivisionError",
    "ArithmeticError": "ZeroDivisionError",
    "TimeoutError": "ConnectionError",
    "ConnectionError": "TimeoutError",
    "RecursionError": "MemoryError",
    "EOFError": "StopIteration",
}


class ExceptionCaught(Operator[cst.ExceptHandler]):
    """Catches the wrong kind of exception, too narrow a kind, or forgets one of several."""

    name = "exception_caught"
    on = (cst.ExceptHandler,)
    _narrower = {**_OTHER, "Exception": "ValueError", "BaseException": "Exception"}

    def changes(self, node: cst.ExceptHandler, at: Place) -> Iterator[Edits]:
        kind = node.type
        if isinstance(kind, cst.Name) and kind.value in self._narrower:
            yield at.instead(kind, self._narrower[kind.value])
        elif isinstance(kind, cst.Tuple) and len(kind.elements) > 1:
            for index in range(len(kind.elements)):
                rest = [at.code(e.value) for i, e in enumerate(kind.elements) if i != index]
                yield at.instead(kind, rest[0] if len(rest) == 1 else f"({', '.join(rest)})")


class ExceptionRaised(Operator[cst.Raise]):
    """Raises another kind of exception than callers expect."""

    name = "exception_raised"
    on = (cst.Raise,)

    def changes(self, node: cst.Raise, at: Place) -> Iterator[Edits]:
        raised = node.exc.func if isinstance(node.exc, cst.Call) else node.exc
        if not isinstance(raised, cst.Name):
            return
        other = _OTHER.get(raised.value)
        if other is not None and not other.startswith("Unicode"):  # those want five arguments
            yield at.within(raised, other)
