"""Which of several names a person would take for another."""

from __future__ import annotations

from collections.abc import Iterable

_NEVER = frozenset({"self", "cls", "_", "mcs", "__class__"})


def likest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is most like `name`: by common beginning and end, then the one bound last; None: none is
    left besides `name` itself and names such as `self`."""
    if name in _NEVER:
        return None
    others = [other for other in names if other != name and other not in _NEVER]
    return max(others, key=lambda other: (_alike(name, other), others.index(other))) if others else None


def _alike(one: str, other: str) -> int:
    """Letters that two names share at the beginning, and at the end."""
    return _shared(one, other) + _shared(one[::-1], other[::-1])


def _shared(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
