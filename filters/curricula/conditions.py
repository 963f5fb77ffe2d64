"""Conditions on columns, as a pipeline file writes them: a value, several, or a range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from datafactory.errors import ConfigError
from datafactory.registry import kind_of, suggest

if TYPE_CHECKING:
    import polars as pl


def _checked(where: dict[str, Any]) -> dict[str, Any]:
    for column, wanted in where.items():
        if isinstance(wanted, dict):
            _check_range(column, wanted)
        elif isinstance(wanted, list):
            if not wanted:
                raise ValueError(f"{column}: an empty list holds for no row")
            for value in wanted:
                _check_value(column, value)
        else:
            _check_value(column, wanted)
    return where


def _check_value(column: str, value: Any) -> None:
    if value is not None and not isinstance(value, bool | int | float | str):
        raise ValueError(
            f"{column}: must be a value, a list of values, or {{min: ..., max: ...}}, not {kind_of(value)}"
        )


def _check_range(column: str, wanted: Mapping[str, Any]) -> None:
    if not wanted or wanted.keys() - {"min", "max"}:
        raise ValueError(
            f"{column}: a range has the keys min and max, or one of them, not {', '.join(wanted) or 'none'}"
        )
    for end, value in wanted.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{column}.{end}: must be a number, not {kind_of(value)}")
    if wanted.get("min", 0) > wanted.get("max", wanted.get("min", 0)):
        raise ValueError(f"{column}: min ({wanted['min']}) is larger than max ({wanted['max']}): no row is in it")


Where = Annotated[dict[str, Any], AfterValidator(_checked)]
"""Conditions by column, all of which must hold: `{origin: zero, domain: [security, debugging], reward: {min: 0.5}}`.
Both ends of a range are in it; a null in a cell equals null alone; of a list (`skills`), one item is enough."""


def holds(where: Mapping[str, Any], schema: pl.Schema) -> pl.Expr:
    """Whether a row fulfils all of it: true or false, never null. Raises ConfigError on a column that is not there."""
    import polars as pl

    known(where, schema, "where")
    return pl.all_horizontal(pl.lit(True), *(_holds(name, wanted, schema) for name, wanted in where.items()))


def known(columns: Iterable[str], schema: pl.Schema, key: str) -> None:
    """Raises ConfigError that names a column which the rows do not have."""
    for name in columns:
        if name not in schema:
            raise ConfigError(f"{key}: the rows have no column {name!r}{suggest(name, list(schema))}")


def said(where: Mapping[str, Any]) -> str:
    """The conditions in words, for tables and errors."""
    return ", ".join(f"{column} {_said(wanted)}" for column, wanted in where.items()) or "all rows"


def _said(wanted: Any) -> str:
    if isinstance(wanted, dict):
        return " and ".join(f"{sign} {wanted[end]:g}" for end, sign in (("min", ">="), ("max", "<=")) if end in wanted)
    if isinstance(wanted, list):
        return " or ".join(map(_word, wanted))
    return _word(wanted)


def _word(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _holds(name: str, wanted: Any, schema: pl.Schema) -> pl.Expr:
    import polars as pl

    if isinstance(schema[name], pl.List):
        return pl.col(name).list.eval(_equals(pl.element(), wanted)).list.any().fill_null(False)
    return _equals(pl.col(name), wanted)


def _equals(cell: pl.Expr, wanted: Any) -> pl.Expr:
    import polars as pl

    if isinstance(wanted, dict):
        ends = [cell >= wanted["min"]] if "min" in wanted else []
        ends += [cell <= wanted["max"]] if "max" in wanted else []
        return pl.all_horizontal(ends).fill_null(False)
    if isinstance(wanted, list):
        return pl.any_horizontal(_equals(cell, value) for value in wanted)
    return cell.is_null() if wanted is None else (cell == wanted).fill_null(False)
