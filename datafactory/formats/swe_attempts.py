"""Attempts at SWE tasks as rows of OpenHands trajectories, and as predictions for SWE-bench's harness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from datafactory.errors import DataError
from datafactory.formats import jsonl
from datafactory.formats.wire import wire
from datafactory.swe_facts import SweFacts, model_patch, swe_facts
from datafactory.types import Task, Trajectory


def to_openhands(trajectory: Trajectory, task: Task, facts: SweFacts) -> dict[str, Any]:
    """The columns of NVIDIA's SWE-Zero and SWE-Hero rows (arXiv 2604.01496), and those that tell the outcome.

    Tool arguments are JSON text, and results have the role `tool`. `dataset` is the generator's name; `resolved` is
    1, 0, or -1 where nothing was verified; `exit_status` says why the attempt ended.
    """
    verdict = trajectory.verdict
    return {
        "trajectory": [wire(message) for message in trajectory.messages],
        "trajectory_id": trajectory.id,
        "instance_id": facts.instance_id,
        "repo": facts.repo.replace("__", "/", 1),
        "license": task.source.license,
        "dataset": task.source.generator,
        "model_patch": model_patch(trajectory, task) or "",
        "resolved": -1 if verdict is None else int(verdict.solved),
        "tools": list(trajectory.tools),
        "exit_status": trajectory.stop,
    }


def to_prediction(trajectory: Trajectory, task: Task, facts: SweFacts) -> dict[str, Any]:
    """What SWE-bench's harness judges; an attempt that left no patch has an empty one."""
    return {
        "instance_id": facts.instance_id,
        "model_name_or_path": trajectory.lineage.model or trajectory.teacher,
        "model_patch": model_patch(trajectory, task) or "",
    }


def export_openhands(pairs: Iterable[tuple[Trajectory, Task]], folder: Path) -> int:
    """Write `openhands.jsonl`, a row for each attempt at an SWE task, and say how many. Raises DataError where there is
    none."""
    rows = (to_openhands(trajectory, task, facts) for trajectory, task, facts in _swe(pairs))
    return jsonl.write(rows, folder / "openhands.jsonl")


def export_predictions(pairs: Iterable[tuple[Trajectory, Task]], folder: Path) -> int:
    """Write `predictions-<attempt>.jsonl`, and say how many rows in all: a harness takes one prediction for an
    instance, so each attempt's lie in a file of their own. Raises DataError where two tasks share an id, and where
    there is no attempt at an SWE task."""
    told: dict[tuple[int, str], str] = {}
    with ExitStack() as stack:
        files: dict[int, Callable[[Mapping[str, Any]], None]] = {}
        for trajectory, task, facts in _swe(pairs):
            number = trajectory.attempt
            other = told.setdefault((number, facts.instance_id), task.id)
            if other != task.id:
                raise DataError(f"tasks {other!r} and {task.id!r} are both the instance {facts.instance_id!r}")
            if number not in files:
                files[number] = stack.enter_context(jsonl.writing(folder / f"predictions-{number}.jsonl"))
            files[number](to_prediction(trajectory, task, facts))
    return len(told)


def _swe(pairs: Iterable[tuple[Trajectory, Task]]) -> Iterator[tuple[Trajectory, Task, SweFacts]]:
    none = True
    for trajectory, task in pairs:
        if (facts := swe_facts(task)) is not None:
            none = False
            yield trajectory, task, facts
    if none:
        raise DataError("there is no attempt at an SWE task: none whose task's facts name an `instance_id`")
