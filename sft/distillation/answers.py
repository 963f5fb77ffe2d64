"""The places in rows at which a student answers: the history before, and what the row has there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from datafactory.errors import DataError
from datafactory.table import read_rows
from sft.data import Tokens
from sft.distillation.spec import DEFAULT, Distillation
from sft.packing import WINDOW


class Answers:
    """All marked answers of all rows, in the table's order."""

    def __init__(self, tokens: Tokens, teachers: list[str]) -> None:
        """`teachers`: of each row, the name of the one who scores its answers."""
        self._ids, trained, ends = tokens.arrays()
        begins = np.concatenate([[0], ends[:-1]])
        edges = np.diff(np.concatenate([[False], trained, [False]]).astype(np.int8))
        starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        rows = np.searchsorted(ends, starts, side="right")
        asked = starts > begins[rows]  # an answer to nothing at all cannot be sampled
        self.unasked = int((~asked).sum())
        self._starts, self._stops, self._rows = starts[asked], stops[asked], rows[asked]
        self._begins, self._teachers = begins, teachers
        if not len(self):
            raise DataError("no row has an answer that follows a history")

    def __len__(self) -> int:
        return len(self._starts)

    def history(self, number: int) -> np.ndarray[Any, Any]:
        """Token ids of everything before the answer, shape (length,)."""
        made: np.ndarray[Any, Any] = self._ids[self._begins[self._rows[number]] : self._starts[number]]
        return made

    def own(self, number: int) -> np.ndarray[Any, Any]:
        """Token ids of the answer that the row has."""
        made: np.ndarray[Any, Any] = self._ids[self._starts[number] : self._stops[number]]
        return made

    def teacher(self, number: int) -> str:
        """The name of the one who scores it."""
        return self._teachers[int(self._rows[number])]

    def counts(self) -> dict[str, int]:
        """Answers by teacher."""
        return dict(Counter(self._teachers[row] for row in self._rows.tolist()))

    def longest(self, more: int) -> int:
        """Tokens of the longest history with an answer of `more` tokens to it."""
        return int((self._starts - self._begins[self._rows]).max()) + more

    def endings(self) -> set[int]:
        """The last tokens of the rows' answers."""
        return set(np.unique(self._ids[self._stops - 1]).tolist())


def taught_by(table: Path, tokens: Tokens, spec: Distillation) -> list[str]:
    """For each row that was not refused, the name of its teacher. Raises DataError for a row that has none, and for a
    teacher that has no row: a misspelt name must not hand its rows to another."""
    if not spec.teachers:
        return [DEFAULT] * len(tokens)
    refused = {json.loads(line)["id"] for line in (tokens.folder / "refused.jsonl").read_text().splitlines()}
    found: Counter[str] = Counter()
    made: list[str] = []
    for row in read_rows(table):
        if spec.teacher_by not in row:
            raise DataError(f"teacher_by: {table} has no column {spec.teacher_by!r}; it has {', '.join(sorted(row))}")
        if str(row["id"]) in refused:
            continue
        value = str(row[spec.teacher_by])
        found[value] += 1
        made.append(value if value in spec.teachers else DEFAULT)
    there = ", ".join(f"{value!r} ({count})" for value, count in found.most_common(8))
    if idle := sorted(set(spec.teachers) - set(found)):
        raise DataError(f"teachers: no row has {idle[0]!r} as its {spec.teacher_by}; there are {there}")
    if DEFAULT in made and spec.teacher is None:
        without = ", ".join(repr(value) for value in found if value not in spec.teachers)
        raise DataError(
            f"teachers: none for rows whose {spec.teacher_by} is {without}; name one, or `teacher` for all others"
        )
    return made


def in_batches(count: int, spec: Distillation) -> list[list[int]]:
    """Numbers of the answers of each step. The first pass is shuffled within windows, since answers of one row stand
    side by side and are much alike; each later one as a whole."""
    wanted = spec.steps * spec.batch if spec.steps is not None else max(1, round(count * spec.epochs))
    passes = _passes(count, spec.seed)
    order: list[int] = []
    while len(order) < wanted:
        order += next(passes)
    order = order[:wanted]
    return [order[start : start + spec.batch] for start in range(0, len(order), spec.batch)]


def _passes(count: int, seed: int) -> Iterator[list[int]]:
    draws = np.random.default_rng(seed)
    windows = (np.arange(start, min(start + WINDOW, count)) for start in range(0, count, WINDOW))
    yield np.concatenate([draws.permutation(window) for window in windows]).tolist()
    while True:
        yield draws.permutation(count).tolist()
