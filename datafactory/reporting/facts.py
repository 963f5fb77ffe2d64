"""The numbers of a run that its page draws: funnel, judges, loss curves, evaluation."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datafactory.errors import DataError, StorageError, boundary
from datafactory.evaluating.report import FILE as EVALUATION
from datafactory.judging.report import standings
from datafactory.judging.scored import scored
from datafactory.storage import RunFolder, is_running

STEPS = "training/steps.jsonl"
"""Where a trainer's steps are, within a stage's folder."""
POINTS = 600
"""Points of a loss curve that are drawn, evenly spread: more than a screen has columns for."""


def facts(run: RunFolder, funnel: Mapping[str, Any]) -> dict[str, Any]:
    """All numbers as JSON. `funnel`: what `datafactory show --json` says of the same run. A curve or an evaluation that
    is not there is left out; one that cannot be read raises DataError."""
    return {
        "funnel": dict(funnel),
        "running": is_running(run.path),
        "judges": _judges(run),
        "losses": [curve for stage in run.stages if (curve := _losses(stage.path / STEPS))],
        "evaluations": [found for stage in run.stages if (found := _evaluation(stage.path / EVALUATION))],
    }


def _judges(run: RunFolder) -> list[dict[str, Any]]:
    try:
        found = scored(run)
    except DataError:
        if any(stage.name in ("judge", "compare") and stage.count() for stage in run.stages):
            raise
        return []
    return [standing.as_json() for standing in standings(found.rows)]


def _losses(path: Path) -> dict[str, Any] | None:
    """`{stage, steps, points: [[step, loss], ...]}`, a loss that is not finite as null.

    The last line may be torn while the training runs.
    """
    if not path.exists():
        return None
    with boundary(StorageError, f"reading {path}"):
        lines = path.read_bytes().splitlines()
    points: list[list[float | None]] = []
    steps = 0
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            steps = max(steps, int(row.get("steps", 0)))
            points.append([int(row["step"]), row["loss"] if math.isfinite(row["loss"]) else None])
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines):
                break
            raise DataError(f"{path}, line {number}: no step of a training ({error})") from error
    spread = max(1, -(-len(points) // POINTS))
    drawn = points[::spread]
    if points and drawn[-1] != points[-1]:
        drawn.append(points[-1])
    return {"stage": path.parent.parent.name, "steps": steps, "points": drawn} if points else None


def _evaluation(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path}: no evaluation ({error}); run the pipeline again to write it anew") from error
    return found
