"""Control tokens that stand in somebody's text, kept apart from those that the chat template writes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_PRIVATE = range(0xF8F0, 0xF8FF)
"""Code points that no text should have (Unicode's private use area); the first that a row has not is taken."""


class Literal:
    """Splits control tokens inside a row's own text, so that no tokenizer takes them for the template's.

    A tool may print `<|im_end|>`, and a page may quote it. Encoded as a control token it would end a turn that goes on,
    or start one that nobody said. Marked, it is encoded as the plain characters that it is.
    """

    def __init__(self, control: Iterable[str]) -> None:
        found = sorted({token for token in control if len(token) > 1}, key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, found))) if found else None

    def marked(self, *parts: Any) -> tuple[str, tuple[Any, ...]]:
        """The mark, and the parts (JSON values) with the mark after the first character of each control token; no mark
        where there was none to split."""
        if self._control is None or not any(map(self._holds, parts)):
            return "", parts
        mark = next(chr(code) for code in _PRIVATE if not any(_any(part, chr(code)) for part in parts))
        return mark, tuple(self._split(part, mark) for part in parts)

    def _holds(self, value: Any) -> bool:
        assert self._control is not None
        if isinstance(value, str):
            return self._control.search(value) is not None
        return any(map(self._holds, _inner(value)))

    def _split(self, value: Any, mark: str) -> Any:
        assert self._control is not None
        if isinstance(value, str):
            return self._control.sub(lambda found: f"{found.group()[0]}{mark}{found.group()[1:]}", value)
        if isinstance(value, dict):
            return {key: self._split(inner, mark) for key, inner in value.items()}
        return [self._split(inner, mark) for inner in value] if isinstance(value, list | tuple) else value


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _any(value: Any, letter: str) -> bool:
    return letter in value if isinstance(value, str) else any(_any(inner, letter) for inner in _inner(value))
