"""The tasks of a run that lies on disk, by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from datafactory.errors import DataError
from datafactory.storage.journal import lines
from datafactory.storage.layout import RunFolder
from datafactory.storage.shelf import RECORDS
from datafactory.types import Task


def is_task(row: Mapping[str, Any]) -> bool:
    """Whether a record is a task."""
    return "prompt" in row and "checks" in row


class Tasks:
    """The tasks of a run by id, the last stage's where several have one; only where each stands is held in memory."""

    def __init__(self, folder: RunFolder) -> None:
        self._places: dict[str, tuple[Path, int]] = {}
        for stage in folder.stages:
            path = stage.path / RECORDS
            if not path.exists() or not is_task(next(stage.records(), {})):
                continue
            offset = 0
            for line in lines(path):
                self._places[orjson.loads(line)["id"]] = (path, offset)
                offset += len(line) + 1

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def get(self, id: str) -> Task:
        """Raises DataError where no stage has it."""
        if id not in self._places:
            raise DataError(f"no stage of the run holds the task {id!r}")
        path, offset = self._places[id]
        return Task.model_validate_json(next(lines(path, offset)))
