"""The scores of a run beside its verdicts, as columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from datafactory.errors import DataError, StorageError, boundary
from datafactory.storage import RECORDS, REJECTED, RunFolder, StageFolder, lines

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("task_id", "domain", "reward", "name", "judge", "value")
CHUNK = 100_000
"""Scores that are held as Python's own values, which take ten times the room of columns."""


@dataclass(frozen=True)
class Scored:
    """What judges said in a run."""

    stage: StageFolder
    """Whose shelf it was read from."""
    attempts: int
    complete: bool
    """Whether the stage is; the numbers of one that is not are of what is there so far."""
    rows: pl.DataFrame
    """One row for each score: `COLUMNS`; `reward` is null without a verdict, `value` where it could not be read."""


def scored(run: RunFolder) -> Scored:
    """Scores from the last record-wise stage that has any, else from the first table, with what its filters dropped:
    judges that were measured on what filters kept would look better or worse than they are. Raises DataError where no
    attempt of the run was judged."""
    for stage in reversed(run.stages):
        if (stage.path / RECORDS).exists():
            found = _of_records(stage)
            if found is not None:
                return found
    for stage in run.stages:
        if stage.table.exists() and not (stage.path / RECORDS).exists():
            found = _of_table(stage)
            if found is not None:
                return found
    raise DataError(
        f"{run.name}: no attempt has a score; put a stage `judge` behind `verify`, such as "
        "{use: judge, judges: [judge_rules]}, and run the pipeline again: what is finished stays"
    )


def _of_records(stage: StageFolder) -> Scored | None:
    import polars as pl

    schema = {name: pl.Float64 if name in ("reward", "value") else pl.String for name in COLUMNS}
    cells: list[tuple[Any, ...]] = []
    frames: list[pl.DataFrame] = []
    attempts = 0
    for row in _rows(stage):
        if "task_id" not in row or "messages" not in row:
            return None
        attempts += 1
        for score in row.get("scores") or ():
            verdict = row.get("verdict")
            reward = None if verdict is None else verdict["reward"]
            cells.append((row["task_id"], row.get("domain", ""), reward, score["name"], score["judge"], score["value"]))
        if len(cells) >= CHUNK:
            frames.append(pl.DataFrame(cells, schema=schema, orient="row"))
            cells = []
    frames.append(pl.DataFrame(cells, schema=schema, orient="row"))
    rows = pl.concat(frames)
    return Scored(stage, attempts, stage.manifest is not None, rows) if rows.height else None


def _rows(stage: StageFolder) -> Iterator[dict[str, Any]]:
    path = stage.path / RECORDS
    for number, line in enumerate(lines(path), 1):
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise DataError(f"{path}:{number}: not JSON ({error}); restore the file") from error


def _of_table(stage: StageFolder) -> Scored | None:
    import polars as pl

    paths = [path for path in (stage.table, stage.table.with_name(REJECTED)) if path.exists()]
    with boundary(StorageError, f"reading {stage.table}"):
        tables = [pl.scan_parquet(path) for path in paths]
        if not all("scores" in table.collect_schema() for table in tables):
            return None
        one = pl.concat([table.select("task_id", "domain", "reward", "scores") for table in tables])
        attempts = int(one.select(pl.len()).collect().item())
        rows = one.explode("scores").drop_nulls("scores").unnest("scores").select(COLUMNS).collect(engine="streaming")
    return Scored(stage, attempts, stage.manifest is not None, rows) if rows.height else None
