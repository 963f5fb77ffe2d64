"""The root of every component: a frozen recipe whose fields are its keys in the pipeline file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Component:
    """Marks a spec's field that holds another component: ``Annotated[Sandbox | None, Component("sandbox")]``."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Spec(BaseModel):
    """A recipe. What is alive is opened from it with `async with` and never stored on it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
        validate_default=True,
    )

    use_name: ClassVar[str] = ""
    """The name in a room's table; the class's own name where it is in none."""
    later: ClassVar[frozenset[str]] = frozenset()
    """Fields that came later: the recipe has them where they are used, so that older runs keep their digests."""

    def problems(self) -> Iterable[str]:
        """What would stop it, as far as can be told before anything runs (a missing file, a missing engine)."""
        return ()

    def inputs(self) -> Iterable[Path]:
        """Files of the user's whose content shapes what it makes; a changed file makes a new shelf."""
        return ()

    def describe(self) -> dict[str, Any]:
        """The recipe as JSON, nested components included; fields marked `exclude` (knobs of speed) left out."""
        own = vars(type(self)).get("use_name")  # one that was inherited names another class
        made: dict[str, Any] = {"use": own or f"{type(self).__module__}:{type(self).__name__}"}
        for name, field in type(self).model_fields.items():
            unused = name in self.later and getattr(self, name) == field.default
            if not (field.exclude or unused):
                made[name] = _plain(getattr(self, name))
        return made


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return value.describe()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
