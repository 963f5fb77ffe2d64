"""All that lies where this machine keeps layers: whole, damaged or broken off, how large, and in use or not."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from datafactory.errors import DataError, StorageError, boundary
from datafactory.layers.layer import PREFIX, Layer, find, folder, home, tar_of, turn
from datafactory.layers.use import is_held, last_use, unheld
from datafactory.whole import sync

_OURS = ("layer.json", ".turn", ".use")


@dataclass(frozen=True, slots=True)
class Stocked:
    """The folder of one layer."""

    name: str
    layer: Layer | None
    """None: no box can be opened on it."""
    problem: str
    """Why not; empty: it is whole."""
    size: int
    """Bytes on disk, of all that lies there."""
    unpacked: int
    """Of those: unpacked for boxes of namespaces."""
    left: int
    """Of those: left by work that broke off, or of an earlier layer of that name."""
    made: float
    """Seconds since 1970."""
    used: float
    """When a box was opened on it last, or when it was made; seconds since 1970."""
    held: bool
    """Whether somebody has boxes of it open, or may open some any moment."""


def stock() -> list[Stocked]:
    """All of them, by name. Files of a layer that goes meanwhile are not counted."""
    found = []
    for place in sorted(folder().glob("*")):
        with contextlib.suppress(ValueError):  # whatever else somebody put there
            home(name := f"{PREFIX}{place.name}")
            if place.is_dir():
                found.append(_look(name, place))
    return found


def remove(name: str, *, broken: bool = False) -> bool:
    """Delete a layer and what sandboxes unpacked of it; False: nothing of it is there. `broken`: only if it is damaged
    or broken off. Raises RunError where it is in use, StorageError, ValueError as `home`."""
    place = home(name)
    doing = boundary(StorageError, f"deleting layer {name!r}")
    with contextlib.suppress(FileNotFoundError), unheld(name), doing, turn(place):
        if broken and not _problem(name)[1]:
            return False
        # Moved at once: whoever saves the layer anew meanwhile has a folder of their own, and what breaks off is seen.
        going = place.with_name(f"{place.name[:180]}.deleting")
        shutil.rmtree(going, ignore_errors=True)
        place.rename(going)
        sync(folder())
        shutil.rmtree(going)
        return True
    return False


def tidy(name: str) -> None:
    """Delete what lies beside a layer and is not of it any more. Raises RunError where the layer is in use,
    StorageError, ValueError as `home`."""
    place, doing = home(name), boundary(StorageError, f"tidying layer {name!r}")
    with contextlib.suppress(FileNotFoundError), unheld(name), doing, turn(place):
        layer = _problem(name)[0]
        for path in _left(place, layer) if layer else ():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _look(name: str, place: Path) -> Stocked:
    layer, problem = _problem(name)
    made = last_use(place)
    with contextlib.suppress(FileNotFoundError):
        made = (place / "layer.json").stat().st_mtime
    return Stocked(
        name=name,
        layer=layer,
        problem=problem,
        size=_size(place),
        unpacked=sum(_size(path) for path in place.glob("[!.]*") if path.is_dir()),
        left=sum(_size(path) for path in _left(place, layer)) if layer else 0,
        made=made,
        used=max(made, last_use(place)),
        held=is_held(place),
    )


def _problem(name: str) -> tuple[Layer | None, str]:
    try:
        layer = find(name)
    except DataError as error:
        return None, str(error)
    return layer, "" if layer else "it was never finished, or its deletion broke off"


def _left(place: Path, layer: Layer) -> list[Path]:
    unpacked = f"{layer.digest[:16]}-"
    ours = {*_OURS, tar_of(layer).name}
    return [path for path in place.glob("*") if path.name not in ours and not path.name.startswith(unpacked)]


def _size(path: Path) -> int:
    """Bytes that it takes on disk."""
    if not path.is_dir() or path.is_symlink():
        return _blocks(str(path))
    below = (f"{at}/{name}" for at, folders, names in os.walk(path) for name in (*folders, *names))
    return _blocks(str(path)) + sum(_blocks(each) for each in below)


def _blocks(path: str) -> int:
    try:
        return 512 * os.lstat(path).st_blocks  # a block of stat(2) is 512 bytes, whatever the disk's are
    except FileNotFoundError:
        return 0
