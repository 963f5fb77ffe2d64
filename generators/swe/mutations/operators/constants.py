"""Mistakes in constants: numbers, truth values, keys, separators and defaults."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import libcst as cst

from generators.swe.mutations.operators.operator import Operator
from generators.swe.mutations.place import Edits, Place, called

_KEY = re.compile(r"""(?P<open>[bBrRuU]{0,2}['"])(?P<key>[A-Za-z][\w-]*)(?P<close>['"])\Z""")
_TEXT = re.compile(r"""(?P<open>[uUbB]?['"])(?P<text>[^'"]{1,8})(?P<close>['"])\Z""")
_SEPARATORS = {
    ",": ";",
    ";": ",",
    ".": ",",
    "/": "\\\\",
    ":": ";",
    "=": ":",
    "_": "-",
    "-": "_",
    " ": "  ",
    "\\n": " ",
    "\\r\\n": "\\n",
    "\\t": " ",
    "#": "//",
    "*": "+",
    "|": "/",
    "&": ";",
    "?": "!",
    "@": "#",
    "+": "-",
    "%": "#",
}


def other_number(code: str) -> str | None:
    """A number that a person could write for `code`: the neighbour, or one with a zero too few; None: none is near."""
    try:
        value = int(code, 0)
    except ValueError:
        number = float(code.replace("_", ""))
        other = repr(number * 10 if number else 1.0)
        return other if math.isfinite(float(other)) and float(other) != number else None
    if value == 0 and code != "0":
        return None
    if not code.isdigit():
        return f"{hex(value - 1)}" if code[1] in "xX" else str(value - 1)
    if value >= 100 and value % 10 == 0:
        return str(value // 10)
    return str(value + 1) if value in (0, 2) else str(value - 1)


class ConstantChange(Operator[cst.Integer | cst.Float | cst.Name]):
    """Mistypes a number, or says `True` for `False`."""

    name = "constant_change"
    on = (cst.Integer, cst.Float, cst.Name)
    _elsewhere = (cst.Param, cst.Index, cst.Slice)

    def changes(self, node: cst.Integer | cst.Float | cst.Name, at: Place) -> Iterator[Edits]:
        if isinstance(at.parent, self._elsewhere) or (
            isinstance(at.parent, cst.UnaryOperation) and isinstance(at.parents[-2], self._elsewhere)
        ):
            return
        if not isinstance(node, cst.Name):
            other = other_number(node.value)
        elif node.value in ("True", "False") and not isinstance(at.parent, cst.While):
            other = str(node.value == "False")
        else:
            return
        if other is not None:
            yield at.within(node, other)


class DefaultChange(Operator[cst.Param]):
    """Gives a parameter another default."""

    name = "default_change"
    on = (cst.Param,)

    def changes(self, node: cst.Param, at: Place) -> Iterator[Edits]:
        default = node.default
        if isinstance(default, cst.Name) and default.value in ("True", "False"):
            yield at.within(default, str(default.value == "False"))
        elif isinstance(default, cst.Integer | cst.Float):
            other = other_number(default.value)
            if other is not None:
                yield at.within(default, other)
        elif isinstance(default, cst.SimpleString):
            other = _separator(default.value)
            if other is not None:
                yield at.within(default, other)


class KeyChanged(Operator[cst.SimpleString]):
    """Spells a key, or a word that is compared, another way: a plural, a capital, a dash."""

    name = "key_changed"
    on = (cst.SimpleString,)

    def changes(self, node: cst.SimpleString, at: Place) -> Iterator[Edits]:
        parts = _KEY.match(node.value)
        if parts is not None and self._is_key(node, at):
            yield at.within(node, parts["open"] + self._misspelt(parts["key"]) + parts["close"])

    @staticmethod
    def _is_key(node: cst.SimpleString, at: Place) -> bool:
        parent = at.parent
        if isinstance(parent, cst.DictElement):
            return node is parent.key
        if isinstance(parent, cst.Arg):
            call = at.parents[-2]
            return (
                isinstance(call, cst.Call) and parent is call.args[0] and called(call) in ("get", "pop", "setdefault")
            )
        return isinstance(parent, cst.Index | cst.ComparisonTarget | cst.Comparison)

    @staticmethod
    def _misspelt(key: str) -> str:
        if "_" in key:
            return key.replace("_", "-", 1)
        if "-" in key:
            return key.replace("-", "_", 1)
        if key.isupper():
            return key.lower()
        if len(key) == 1:
            return key.upper()
        return key[:-1] if key.endswith("s") and len(key) > 2 else key + "s"


class SeparatorChanged(Operator[cst.Call]):
    """Joins, splits or strips by a character that is not quite the right one."""

    name = "separator_changed"
    on = (cst.Call,)
    _methods = frozenset(
        {"join", "split", "rsplit", "partition", "rpartition", "replace", "startswith", "endswith"}
        | {"strip", "lstrip", "rstrip", "find", "rfind", "index", "count"}
    )

    def changes(self, node: cst.Call, at: Place) -> Iterator[Edits]:
        if called(node) not in self._methods or not isinstance(node.func, cst.Attribute):
            return
        for text in (node.func.value, *(arg.value for arg in node.args)):
            other = _separator(text.value) if isinstance(text, cst.SimpleString) else None
            if other is not None:
                yield at.within(text, other)


def _separator(code: str) -> str | None:
    """Another separator for a short literal without quotes in it; None: it is no separator."""
    parts = _TEXT.match(code)
    if parts is None:
        return None
    text = parts["text"]
    if len(text) > 1 and text.strip(" ") and text != text.strip(" "):
        return parts["open"] + text.strip(" ") + parts["close"]
    other = _SEPARATORS.get(text)
    return None if other is None else parts["open"] + other + parts["close"]
