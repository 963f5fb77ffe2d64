"""Environments on file."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from datafactory.errors import StorageError, boundary
from datafactory.whole import whole
from generators.swe.environment.record import Environment

KEPT = "environments"
"""Where in the folder of `set_up` they are: each as ``<key>.json``; the name of its layer ends with the first 12 digits
of the key."""


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


def forget(folder: Path, image: str) -> None:
    """Delete what `folder` (of `set_up`) has on file of the environment in the layer `image`. Raises StorageError."""
    with boundary(StorageError, f"forgetting {image!r}"):
        for path in (folder / KEPT).glob(f"{image.rpartition('-')[2]}*.json"):
            made = read(path)
            if made is None or made.image == image:
                path.unlink(missing_ok=True)
