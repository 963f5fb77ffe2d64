"""Environments on file."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from datafactory.whole import whole
from generators.swe.environment.record import Environment


def read(path: Path) -> Environment | None:
    """What is on file there; None: nothing, or something that another version of this wrote."""
    try:
        return Environment.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write(path: Path, environment: Environment) -> None:
    """Put it on file. Raises StorageError."""
    with whole(path) as draft:
        draft.write_text(environment.model_dump_json())
