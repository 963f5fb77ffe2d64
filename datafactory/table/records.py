"""Any record type as a table, and back without loss."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from datafactory.errors import DataError
from datafactory.table.columns import Column, Kind
from datafactory.table.order import ordered
from datafactory.table.parquet import RowWriter, notes, read_rows
from datafactory.types import Record

R = TypeVar("R", bound=Record)

_PLAIN: dict[Any, Kind] = {str: "string", int: "int64", float: "float64", bool: "bool"}
_LISTS: dict[Kind, Kind] = {"string": "strings", "bool": "bools"}
_NOTE = "datafactory.record"


def columns_of(kind: type[Record]) -> tuple[Column, ...]:
    """A column for each field: text, numbers and flags as they are, whatever is nested as JSON."""
    return tuple(
        Column(name, _kind(field.annotation), field.description or "") for name, field in kind.model_fields.items()
    )


def _kind(annotation: Any) -> Kind:
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal and all(isinstance(value, str) for value in inner):
        return "string"
    if origin in (Union, types.UnionType) and types.NoneType in inner and len(inner) == 2:
        kind = _kind(next(a for a in inner if a is not types.NoneType))
        return kind if kind in _PLAIN.values() else "json"
    if origin is tuple and len(inner) == 2 and inner[1] is ...:
        return _LISTS.get(_kind(inner[0]), "json")
    return "json"


def write_records(records: Iterable[R], path: Path, kind: type[R]) -> int:
    """Seal records of one type, sorted by rank, task and attempt, or id, whichever they have; says how many.

    Nested fields become JSON text, exact to the last digit. Raises StorageError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if key := _key(kind):
        records = ordered(records, key, path.parent)
    with RowWriter(path, columns_of(kind), encode=_exact, notes={_NOTE: kind.__name__}) as writer:
        for record in records:
            writer.write(record.model_dump(mode="json"))
    return writer.rows


def _key(kind: type[Record]) -> Callable[[Any], Any] | None:
    for names in (("rank",), ("task_id", "attempt"), ("id",)):
        if all(name in kind.model_fields for name in names):
            return lambda record, names=names: tuple(getattr(record, name) for name in names)  # type: ignore[misc]
    return None


def _exact(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can carry
        return json.dumps(value, separators=(",", ":"))
    return text


def read_records(path: Path, kind: type[R]) -> Iterator[R]:
    """The records of a sealed file, in its order. Raises DataError: no such file, or records of another type."""
    from pydantic import ValidationError

    found = notes(path).get(_NOTE, "no")
    if found != kind.__name__:
        raise DataError(f"{path}: holds {found} records, not {kind.__name__}")
    for fields in read_rows(path):
        try:
            yield kind.model_validate(fields)
        except ValidationError as error:
            raise DataError(f"{path}: not a {kind.__name__}: {error}") from error
