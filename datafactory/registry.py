"""From names to components: rooms are found by name, and every mistake is found with its place."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from datafactory.errors import ConfigError
from datafactory.spec import Component, Spec

KINDS: dict[str, tuple[str, str]] = {
    "stage": ("datafactory.stages", "TABLE"),
    "generator": ("generators", "TABLE"),
    "sandbox": ("sandboxes", "TABLE"),
    "teacher": ("datafactory.teachers", "TABLE"),
    "filter": ("filters", "TABLE"),
    "curriculum": ("filters", "CURRICULA"),
    "marker": ("filters", "MARKERS"),
    "trainer": ("sft", "TABLE"),
    "corpus": ("datafactory.corpora", "TABLE"),
    "retriever": ("datafactory.corpora.retrievers", "TABLE"),
    "embedder": ("datafactory.topics", "TABLE"),
}
"""Where each kind of component has its table of names."""

TRADE: dict[str, tuple[str, ...]] = {
    "stage": ("run",),
    "generator": ("make", "open"),
    "sandbox": ("start",),
    "teacher": ("open",),
    "filter": ("reject",),
    "curriculum": ("arrange",),
    "marker": ("mark",),
    "trainer": ("train",),
    "corpus": ("pages",),
    "retriever": ("open",),
    "embedder": ("fit",),
}
"""The method, or one of them, that makes a class a component of the kind."""

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One mistake: where (a path of keys in the file), what, and the way out."""

    path: Path
    message: str

    def __str__(self) -> str:
        return f"{show(self.path)}: {self.message}"


def show(path: Path) -> str:
    """A path as a person writes it: ``stages[0].generators[1].count``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".") or "(top)"


def suggest(word: str, known: Sequence[str]) -> str:
    """The nearest known word as a question, or the whole list where it is short."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; one of: {', '.join(sorted(known))}" if known else ""


def article(kind: str) -> str:
    """`an` before an embedder."""
    return "an" if kind[:1] in "aeiou" else "a"


def table(kind: str) -> dict[str, str]:
    """Names of a kind of component, and where each class is."""
    module, attribute = KINDS[kind]
    room = importlib.import_module(module)
    made: dict[str, str] | None = getattr(room, attribute, None)
    if made is None:
        raise ConfigError(f"{getattr(room, '__file__', module)} hides datafactory's own {module!r}: rename it")
    return made


def find(kind: str, name: str) -> type[Spec]:
    """The class of a name in a room's table, or of ``package.module:Class``. Raises ConfigError."""
    if ":" not in name and name not in table(kind):
        hint = suggest(name, list(table(kind)))
        own = "" if hint.endswith("?") else "; a class of your own is written package.module:Class"
        raise ConfigError(f"unknown {kind} {name!r}{hint}{own}")
    target = name if ":" in name else table(kind)[name]
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*", target):
        raise ConfigError(f"{kind} {name!r}: a class of your own is written package.module:Class")
    module_name, _, attribute = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigError(f"{kind} {name!r}: no module {error.name!r}; is it installed, and on the path?") from error
    except (ImportError, SyntaxError) as error:
        raise ConfigError(f"{kind} {name!r}: module {module_name!r} cannot be imported: {error}") from error
    found = getattr(module, attribute, None)
    if found is None:
        classes = [key for key, value in vars(module).items() if inspect.isclass(value) and issubclass(value, Spec)]
        raise ConfigError(f"{kind} {name!r}: module {module_name!r} has no {attribute!r}{suggest(attribute, classes)}")
    if not (inspect.isclass(found) and issubclass(found, Spec)):
        raise ConfigError(f"{kind} {name!r} is not a subclass of datafactory.spec.Spec")
    trade = TRADE[kind]
    if not any(callable(getattr(found, method, None)) for method in trade):
        raise ConfigError(f"{kind} {name!r} has no method {' or '.join(map(repr, trade))}: it is no {kind}")
    return found


def build(kind: str, value: Any, path: Path, problems: list[Problem]) -> Spec | None:
    """A component from its place in a pipeline file: a bare name, or a mapping with `use`.

    Mistakes are added to `problems`, all that there are; None where there were any. One that is built stays.
    """
    if isinstance(value, Spec):
        return value
    if isinstance(value, str):
        value = {"use": value}
    if not isinstance(value, Mapping):
        said = f"expected {article(kind)} {kind}: its name, or a mapping with 'use', not {kind_of(value)}"
        problems.append(Problem(path, said))
        return None
    keys = dict(value)
    name = keys.pop("use", None)
    if not isinstance(name, str):
        one = f"{article(kind)} {kind}"
        said = f"{one} needs 'use'" if name is None else f"'use' must name {one}, not be {kind_of(name)}"
        problems.append(Problem(path, f"{said}{suggest('', list(table(kind)))}"))
        return None
    try:
        cls = find(kind, name)
    except ConfigError as error:
        problems.append(Problem((*path, "use"), str(error)))
        return None
    return fill(cls, keys, path, problems)


def fill(cls: type[Spec], keys: Mapping[str, Any], path: Path, problems: list[Problem]) -> Spec | None:
    """A spec of `cls` from its keys, nested components first; None where there were mistakes."""
    before = len(problems)
    ready: dict[str, Any] = {}
    for key, value in keys.items():
        if key not in cls.model_fields:
            problems.append(Problem((*path, key), f"unknown key{suggest(key, list(cls.model_fields))}"))
            continue
        kind = component(cls.model_fields[key])
        if isinstance(value, bool) and _is_number(cls.model_fields[key]):
            problems.append(Problem((*path, key), f"must be a number, not {value}"))
        elif kind is None or value is None:
            ready[key] = value
        elif _is_list(cls.model_fields[key]):
            ready[key] = build_list(kind, value, (*path, key), problems)
        else:
            ready[key] = build(kind, value, (*path, key), problems)
    broken = {problem.path[: len(path) + 1][-1] for problem in problems[before:] if len(problem.path) > len(path)}
    try:
        made = cls.model_validate(ready)
    except ValidationError as error:
        for problem in _explain(cls, error, path):
            if not (len(problem.path) > len(path) and problem.path[len(path)] in broken):
                problems.append(problem)
        return None
    return made if len(problems) == before else None


def build_list(kind: str, value: Any, path: Path, problems: list[Problem]) -> list[Spec | None] | None:
    """Components from a list of places; None in the place of each that had mistakes."""
    if not isinstance(value, list):
        problems.append(Problem(path, f"expected a list of {kind}s, not {kind_of(value)}"))
        return None
    return [build(kind, item, (*path, number), problems) for number, item in enumerate(value)]


def component(field: FieldInfo) -> str | None:
    """The kind of component that a field holds (itself or as a list); None: a plain value."""
    for mark in (*field.metadata, *_marks(field.annotation)):
        if isinstance(mark, Component):
            return mark.kind
    return None


def _marks(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
    for inner in get_args(annotation):
        yield from _marks(inner)


def _is_number(field: FieldInfo) -> bool:
    kinds = {field.annotation, *get_args(field.annotation)}
    return bool(kinds & {int, float}) and bool not in kinds


def _is_list(field: FieldInfo) -> bool:
    annotation = field.annotation
    if get_origin(annotation) in (Union, UnionType):
        annotation = next((a for a in get_args(annotation) if a is not type(None)), annotation)
    return get_origin(annotation) in (list, tuple, Sequence)


def _explain(cls: type[Spec], error: ValidationError, path: Path) -> Iterator[Problem]:
    for item in error.errors(include_url=False):
        place = (*path, *(part for part in item["loc"] if part != "[key]"))
        if item["type"] == "missing":
            field = cls.model_fields.get(str(item["loc"][0]))
            kind = component(field) if field is not None else None
            yield Problem(place, f"is required{suggest('', list(table(kind))) if kind else ''}")
        elif item["type"] in ("value_error", "assertion_error"):
            yield Problem(place, str(item["ctx"]["error"]) if "ctx" in item else item["msg"])
        elif item["type"] == "extra_forbidden":
            yield Problem(place, f"unknown key{suggest(str(item['loc'][-1]), _keys_at(cls, item['loc'][:-1]))}")
        else:
            yield Problem(place, _in_words(item["type"], item["msg"], item.get("ctx", {}), item["input"]))


def _keys_at(model: type[BaseModel], place: Path) -> list[str]:
    """The keys of the plain model that lies at a place within another, itself or in a list."""
    for part in place:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(str(part))
        within = (field.annotation, *get_args(field.annotation)) if field is not None else ()
        inner = [kind for kind in within if inspect.isclass(kind) and issubclass(kind, BaseModel)]
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)


_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping",
    "model": "a mapping",
    "path": "a path",
}
"""What pydantic's kinds of errors (`int_parsing`, `string_type`, ...) are about, as the writer of a file calls it."""


def _in_words(kind: str, message: str, limits: Mapping[str, Any], value: Any) -> str:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    wanted, ending = _WANTED.get(kind.partition("_")[0]), kind.partition("_")[2]
    if wanted and ending in ("type", "parsing", "from_float"):
        quote = "; put it in quotes" if wanted == "text" and isinstance(value, bool | int | float) else ""
        return f"must be {wanted}, not {'nothing' if value is None else shown}{quote}"
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
        said = next(f"{words[name]} {limit:g}" for name, limit in limits.items() if name in words)
        return f"must be {said}, not {shown}"
    if kind in ("too_short", "string_too_short"):
        return f"needs at least {limits['min_length']}, and is {shown}"
    if kind == "literal_error":
        return f"must be {limits['expected']}, not {shown}"
    return f"{message[:1].lower()}{message[1:]} (it is {shown})"


def kind_of(value: Any) -> str:
    """What a value is, as the writer of a file calls it."""
    names: dict[type, str] = {dict: "a mapping", list: "a list", str: "text", bool: "true/false", int: "a number"}
    return "nothing" if value is None else names.get(type(value), type(value).__name__)


def walk(spec: Spec, path: Path = ()) -> Iterator[tuple[Path, Spec]]:
    """A spec and every component inside it, each with its path."""
    yield path, spec
    for name in type(spec).model_fields:
        value = getattr(spec, name)
        nested: list[tuple[Path, Any]] = [((*path, name), value)]
        if isinstance(value, list | tuple):
            nested = [((*path, name, number), item) for number, item in enumerate(value)]
        for place, item in nested:
            if isinstance(item, Spec):
                yield from walk(item, place)
