"""A layer on this machine: what it says of itself, and where it lies."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from pydantic import ValidationError

from datafactory import turns
from datafactory.errors import DataError
from datafactory.local import state_folder
from datafactory.types import Record

PREFIX = "layer/"
"""What the name of an image begins with that is a layer."""
TIME = 1_577_836_800
"""When every file of a layer was changed last: 1 January 2020, so that the same files make the same tar."""
_PIECE = 1 << 20
_NAME = re.compile(r"layer/[a-z0-9][a-z0-9._-]{0,199}")


class Layer(Record):
    """Files that lie on top of an image, and what they were made on."""

    name: str
    """``layer/…``: what the task's `image` says."""
    base: str
    """The image below."""
    base_digest: str
    """What the sandbox said of the base (`SandboxHost.image_digest`) when the layer was made."""
    digest: str
    """SHA-256 of the tar, 64 hex digits."""
    path: tuple[str, ...] = ()
    """Folders that come before the others in PATH, such as /opt/env/bin."""
    size: int
    """Of the tar, in bytes."""
    roots: tuple[str, ...]
    """The folders that hold all it brings: /opt/<name>, or a folder at the top."""


def folder() -> Path:
    """Where this machine keeps layers."""
    return state_folder() / "layers"


def home(name: str) -> Path:
    """The folder of one layer. Raises ValueError for what is no name of a layer."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"no name of a layer: {name!r}; {PREFIX} and then a-z, 0-9, '.', '_' and '-', 200 at most")
    return folder() / name.removeprefix(PREFIX)


def tar_of(layer: Layer) -> Path:
    """Its tar: paths relative to /, sorted, owner 0, links and permission bits kept; PAX for long names."""
    return home(layer.name) / f"{layer.digest}.tar"


def find(name: str) -> Layer | None:
    """The layer of that name; None: this machine has none. Raises DataError for a damaged one, ValueError as `home`."""
    place = home(name)
    try:
        layer = Layer.model_validate_json((place / "layer.json").read_bytes())
        wrong = "" if layer.name == name else f"it is of {layer.name}"
        size = tar_of(layer).stat().st_size
        wrong = wrong or ("" if size == layer.size else f"its tar has {size} bytes, not {layer.size}")
    except FileNotFoundError as error:
        if error.filename == str(place / "layer.json"):
            return None
        wrong = "its tar is missing"
    except (OSError, ValidationError) as error:
        wrong = str(error).replace("\n", "; ")
    if wrong:
        raise _damaged(name, wrong)
    return layer


def pieces(layer: Layer) -> Iterator[bytes]:
    """Its tar, piece by piece. Raises DataError at the end where it is not what was saved."""
    seen = hashlib.sha256()
    with tar_of(layer).open("rb") as file:
        while piece := file.read(_PIECE):
            seen.update(piece)
            yield piece
    if seen.hexdigest() != layer.digest:
        raise _damaged(layer.name, "its tar is not what was saved")


def _damaged(name: str, wrong: str) -> DataError:
    return DataError(f"layer {name!r} is damaged ({wrong}); `datafactory layers remove {name}`, and set it up again")


def every() -> list[Layer]:
    """All layers of this machine, by name. Raises DataError for a damaged one."""
    names = sorted(path.parent.name for path in folder().glob("*/layer.json"))
    return [layer for name in names if (layer := find(f"{PREFIX}{name}")) is not None]


def turn(place: Path) -> AbstractContextManager[None]:
    """One at a time, of all processes and threads of this machine, in the folder of a layer."""
    return turns.turn(place / ".turn")
