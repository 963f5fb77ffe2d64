"""What shapes a component's work beyond its fields: files that it names, and its own code where a user wrote it."""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path

from datafactory.errors import DataError
from datafactory.registry import KINDS, walk
from datafactory.spec import Spec
from datafactory.types import digest_of

HOUSE = {module.partition(".")[0] for module, _ in KINDS.values()}
"""Packages whose classes are ours."""


def file_digests(spec: Spec) -> list[str]:
    """Of the files that a spec and the components inside it read, and of the code of classes of the user's own:
    changed code makes a new shelf, as a changed field does. Raises DataError."""
    return [_digest(path) for _, part in walk(spec) for path in (*part.inputs(), *_code(part))]


def recipe_digest(spec: Spec) -> str:
    """Of everything that shapes what a component does; knobs of speed move nothing. Raises DataError."""
    return digest_of({"recipe": spec.describe(), "files": file_digests(spec)}, length=64)


def _code(spec: Spec) -> list[Path]:
    if type(spec).__module__.partition(".")[0] in HOUSE:
        return []
    return [Path(source)] if (source := inspect.getsourcefile(type(spec))) else []


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
