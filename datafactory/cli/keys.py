"""The keys of a component, read from its spec: type, bounds, default and doc of each, in words."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from datafactory import registry
from datafactory.errors import ConfigError
from datafactory.spec import Spec

WORDS: dict[Any, str] = {
    int: "whole number",
    float: "number",
    str: "text",
    bool: "true or false",
    Path: "path",
    Any: "any value",
    dict: "mapping",
    type(None): "null",
}
BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


@dataclass(frozen=True, slots=True)
class Key:
    """One key that a component takes."""

    key: str
    type: str
    """In words, bounds included."""
    required: bool
    default: Any
    """As JSON; null too where the key is required."""
    doc: str
    speed: bool
    """A knob of speed: it does not change the data."""
    component: str | None
    """The kind of component that it holds, alone or as a list; None: a plain value."""


def keys(cls: type[Spec]) -> list[Key]:
    """Every key of a component, in the order of its class."""
    return [_key(name, field) for name, field in cls.model_fields.items()]


def paragraph(cls: type) -> str:
    """The first paragraph of a class's docstring, on one line."""
    return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())


def example(kind: str, name: str, cls: type[Spec]) -> str:
    """A piece of a pipeline file: required keys filled in, the others as comments with their defaults."""
    body = yaml.safe_dump(_recipe(name, cls), sort_keys=False, width=1000).splitlines()
    for key in keys(cls):
        if not key.required and key.default not in (None, [], {}):
            body.append(f"# {key.key}: {inline(key.default)}" + ("   # speed only" if key.speed else ""))
    if kind == "pipeline":
        return "\n".join(line for line in body if not line.startswith("use: "))
    if kind in ("sandbox", "teacher", "curriculum", "trainer", "corpus", "retriever", "embedder"):
        return "\n".join([f"{kind}:", *(f"  {line}" for line in body)])
    return "\n".join([f"{kind}s:", f"  - {body[0]}", *(f"    {line}" for line in body[1:])])


def _key(name: str, field: FieldInfo) -> Key:
    default = None if field.is_required() else _plain(field.get_default(call_default_factory=True, validated_data={}))
    kind = registry.component(field)
    return Key(
        key=name,
        type=_of_component(kind, field.annotation) if kind else _bounded(field),
        required=field.is_required(),
        default=default,
        doc=" ".join((field.description or "").split()),
        speed=bool(field.exclude),
        component=kind,
    )


def _plain(value: Any) -> Any:
    if value is PydanticUndefined:
        return None
    if isinstance(value, Spec):
        return value.describe()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _of_component(kind: str, annotation: Any) -> str:
    return f"list of {kind}s" if _is_list(annotation) else f"{registry.article(kind)} {kind}"


def _is_list(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType, Annotated):
        return any(_is_list(inner) for inner in get_args(annotation) if inner is not type(None))
    return inspect.isclass(origin) and issubclass(origin, Sequence)


def _bounded(field: FieldInfo) -> str:
    bounds = [
        f"{said} {getattr(mark, name):g}"
        for mark in field.metadata
        for name, said in BOUNDS.items()
        if getattr(mark, name, None) is not None
    ]
    for mark in field.metadata:
        if (least := getattr(mark, "min_length", None)) is not None:
            bounds.append("not empty" if least == 1 else f"at least {least} long")
        if (most := getattr(mark, "max_length", None)) is not None:
            bounds.append(f"at most {most} long")
        if (pattern := getattr(mark, "pattern", None)) is not None:
            bounds.append(f"like {pattern}")
    return ", ".join([in_words(field.annotation), *bounds])


def in_words(annotation: Any) -> str:
    """A type as a person says it: `list of text`, `whole number or null`."""
    if annotation in WORDS:
        return WORDS[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return in_words(inner[0])
    if origin is Literal:
        return " or ".join(inline(value) for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(in_words(part) for part in inner))
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return "mapping" if Any in inner or not inner else f"mapping of {in_words(inner[0])} to {in_words(inner[1])}"
    if inspect.isclass(origin) and (issubclass(origin, Sequence | set | frozenset)):
        return f"list of {in_words(inner[0])}" if inner else "list"
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return f"mapping ({', '.join(annotation.model_fields)})"
    return str(getattr(annotation, "__name__", annotation))


def inline(value: Any) -> str:
    """A value as YAML on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=1000).strip().removesuffix("...").strip()


def _recipe(name: str, cls: type[Spec]) -> dict[str, Any]:
    made: dict[str, Any] = {"use": name}
    for key, field in cls.model_fields.items():
        if field.is_required():
            kind = registry.component(field)
            made[key] = _nested(kind, field) if kind else _stand_in(field)
    return made


def _nested(kind: str, field: FieldInfo) -> Any:
    name = next(iter(registry.table(kind)), f"package.module:{kind.title()}")
    inner: Any = name
    try:
        recipe = _recipe(name, registry.find(kind, name))
        inner = name if len(recipe) == 1 else recipe
    except ConfigError:
        pass  # a component that cannot be loaded here is still shown by name
    return [inner] if _is_list(field.annotation) else inner


def _stand_in(field: FieldInfo) -> Any:
    if field.examples:
        return field.examples[0]
    annotation = field.annotation
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(a for a in get_args(annotation) if a is not type(None))
    if get_origin(annotation) is Literal:
        return get_args(annotation)[0]
    if annotation in (int, float):
        least = next((mark.ge for mark in field.metadata if getattr(mark, "ge", None) is not None), 1)
        return max(least, 1)
    if annotation is bool:
        return True
    if _is_list(annotation):
        return ["..."]
    return {} if get_origin(annotation) is dict or annotation is dict else "..."
