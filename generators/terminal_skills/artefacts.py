"""The values that artefacts hold, and how each looks as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from generators.terminal_skills.skill import Unfit

NUMERIC = ("int", "decimal")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, and what its cells mean."""

    name: str
    role: str
    """`id`, `category`, `name`, `int`, `decimal` (exact, two places), `date` (ISO), `measure` (rounded),
    `indicator` (0 or 1); other roles are passed on and never computed with."""
    tolerance: float = 0.0
    """How far a cell may lie from the truth; more than 0 only for measures."""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file: every cell is text, as in the file."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    def at(self, column: Column) -> int:
        """Index of a column."""
        return self.columns.index(column)

    def cells(self, column: Column) -> list[str]:
        """The column's cells, top to bottom."""
        at = self.at(column)
        return [row[at] for row in self.rows]

    def of(self, *roles: str, where: Callable[[list[str]], bool] = lambda cells: True) -> list[Column]:
        """Columns of these roles whose cells pass `where`; raises Unfit if there is none."""
        found = [c for c in self.columns if c.role in roles and where(self.cells(c))]
        if not found:
            raise Unfit(f"no column of {roles}")
        return found

    def has_blanks(self, column: Column) -> bool:
        return "" in self.cells(column)

    @property
    def plain(self) -> bool:
        """Whether no cell needs quotes, so that line tools can cut the file at commas."""
        return not any(set(cell) & set(',"\n\r') for row in self.rows for cell in row)

    def but(self, rows: Iterable[Sequence[str]], columns: Sequence[Column] | None = None) -> Table:
        """The same columns (or others) over other rows; raises Unfit when no row is left."""
        made = tuple(tuple(row) for row in rows)
        if not made:
            raise Unfit("no rows left")
        return replace(self, rows=made, columns=tuple(columns) if columns is not None else self.columns)

    def text(self, *, delimiter: str = ",", ending: str = "\n") -> str:
        """The file."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter, lineterminator=ending)
        writer.writerow(self.names)
        writer.writerows(self.rows)
        return out.getvalue()


@dataclass(frozen=True, slots=True)
class Graph:
    """Directed edges with whole-number weights, one ``from to weight`` a line."""

    edges: tuple[tuple[str, str, int], ...]

    @property
    def nodes(self) -> list[str]:
        return sorted({n for a, b, _ in self.edges for n in (a, b)})

    def next(self, *, backwards: bool = False) -> dict[str, set[str]]:
        """Neighbours of each node."""
        made: dict[str, set[str]] = {n: set() for n in self.nodes}
        for a, b, _ in self.edges:
            made[b if backwards else a].add(a if backwards else b)
        return made

    def text(self) -> str:
        return "".join(f"{a} {b} {w}\n" for a, b, w in self.edges)


@dataclass(frozen=True, slots=True)
class Series:
    """Measurements, one ``time value`` a line; times ascend."""

    points: tuple[tuple[float, float], ...]
    tolerance: float = 0.0
    """How far a value may lie from the truth."""

    @property
    def values(self) -> list[float]:
        return [v for _, v in self.points]

    @property
    def times(self) -> list[float]:
        return [t for t, _ in self.points]

    def text(self) -> str:
        return "".join(f"{t:g} {v:g}\n" for t, v in self.points)


def number(cell: str) -> Decimal:
    """A cell of an exact numeric column; an empty cell is 0."""
    return Decimal(cell or "0")


def places(value: Decimal | float, digits: int) -> str:
    """Rounded half away from zero to `digits` decimal places."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    shown = f"{exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"
    return shown[1:] if shown.startswith("-") and not shown.strip("-0.") else shown


def json_lines(records: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)


def text_lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
