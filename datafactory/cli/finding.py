"""One record of a run, found by its id or by the start of it."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from datafactory.cli.funnel import is_attempt, is_trial
from datafactory.cli.printing import clean
from datafactory.errors import DataError, StorageError, boundary
from datafactory.storage import REJECTED, RunFolder, StageFolder, is_task
from datafactory.types import Trial

Kind = Literal["task", "trajectory", "reject"]

NAMED = 8
"""Ids that an error names."""
COMPARED = 20_000
"""Ids that a mistyped one is compared with: about a second of work."""


@dataclass(frozen=True)
class Found:
    """A record, and the stage whose shelf it lies on."""

    kind: Kind
    id: str
    stage: StageFolder
    row: dict[str, Any]


def find(run: RunFolder, wanted: str, *, kinds: tuple[Kind, ...] = ("task", "trajectory", "reject")) -> Found:
    """The record whose id is `wanted`, else the only one whose id begins so.

    A record that several stages hold is taken from the last of them. Of several kinds that begin alike
    the first of `kinds` counts: `a-1` means the task `a-1`, not its attempt `a-1/0`. Raises DataError,
    with the ids that come near.
    """
    begun: dict[Kind, dict[str, Found]] = {kind: {} for kind in kinds}
    more: dict[Kind, int] = dict.fromkeys(kinds, 0)
    exact: dict[Kind, Found] = {}
    for found in _all(run):
        if found.kind not in begun or not found.id.startswith(wanted):
            continue
        if found.id == wanted:
            exact.setdefault(found.kind, found)
        elif found.id in begun[found.kind] or len(begun[found.kind]) < NAMED:
            begun[found.kind].setdefault(found.id, found)
        else:
            more[found.kind] += 1
    for kind in kinds:
        if kind in exact:
            return exact[kind]
    for kind in kinds:
        if len(begun[kind]) == 1 and not more[kind]:
            return next(iter(begun[kind].values()))
        if begun[kind]:
            names = ", ".join(sorted(begun[kind])) + (" and more" if more[kind] else "")
            raise DataError(f"{clean(wanted)!r} is the start of several ids of {run.name}: {clean(names)}")
    raise DataError(f"no {' or '.join(kinds)} {clean(wanted)!r} in {run.name}{_nearest(run, wanted, kinds)}")


def _all(run: RunFolder) -> Iterator[Found]:
    """Every record and reject, the last stage's first; of a trial its attempt, under `<student>/<task>/<attempt>`."""
    for stage in reversed(run.stages):
        for row in stage.records():
            if is_trial(row):
                yield Found("trajectory", Trial.key_of(row), stage, row["attempt"])
            elif is_attempt(row):
                yield Found("trajectory", f"{row['task_id']}/{row['attempt']}", stage, row)
            elif is_task(row):
                yield Found("task", str(row.get("id")), stage, row)
        for row in stage.rejects():
            yield Found("reject", str(row.get("key")), stage, row)


def _nearest(run: RunFolder, wanted: str, kinds: tuple[Kind, ...]) -> str:
    matcher = SequenceMatcher(b=wanted, autojunk=False)
    best: dict[str, float] = {}
    for number, found in enumerate(_all(run)):
        if number >= COMPARED:
            break
        if found.kind not in kinds or found.id in best:
            continue
        matcher.set_seq1(found.id)
        if matcher.real_quick_ratio() > 0.5 and matcher.quick_ratio() > 0.5:
            best[found.id] = matcher.ratio()
        if len(best) > 4 * NAMED:
            best = dict(heapq.nlargest(NAMED, best.items(), key=lambda item: item[1]))
    near = heapq.nlargest(3, best.items(), key=lambda item: item[1])
    if near:
        return f"; near it: {clean(', '.join(name for name, _ in near))}"
    return f"; ids there are, for one: {clean(first)}" if (first := _first(run, kinds)) else "; there is none yet"


def _first(run: RunFolder, kinds: tuple[Kind, ...]) -> str | None:
    return next((found.id for found in _all(run) if found.kind in kinds), None)


def question_of(run: RunFolder, attempt: dict[str, Any]) -> dict[str, Any] | None:
    """The question that an attempt is to answer; None: it has another kind of task, or one that is not there."""
    if attempt.get("answer") is None and not attempt.get("agent", "").startswith("search"):
        return None
    for stage in run.stages:
        for row in stage.records():
            if is_task(row) and row["id"] == attempt["task_id"]:
                asked: dict[str, Any] | None = row.get("question")
                return asked
    return None


def dropped_by(run: RunFolder, id: str) -> tuple[str, str] | None:
    """The filter that dropped a trajectory and its reason; None: none did (or none was asked yet)."""
    for stage in run.stages:
        path = stage.table.with_name(REJECTED)
        if not path.exists():
            continue
        import polars as pl

        with boundary(StorageError, f"reading {path}"):
            rows = pl.scan_parquet(path).filter(pl.col("id") == id).select("filter", "reason").collect()
        if rows.height:
            return str(rows["filter"][0]), str(rows["reason"][0])
    return None
