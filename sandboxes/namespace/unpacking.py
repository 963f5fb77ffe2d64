"""Layers as folders beside their tars, unpacked once for all boxes."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections import deque
from pathlib import Path

from datafactory.errors import SandboxError, boundary
from datafactory.layers import Layer, home, pieces, room, tar_of, turn
from datafactory.whole import sync


def unpack(layer: Layer, *, owner: int) -> Path:
    """The folder that holds the layer's files, all of them user `owner`'s; it is there whole or not at all. Raises
    SandboxError, also where the disk has no room, and DataError for a damaged layer."""
    place = home(layer.name)
    done = place / f"{layer.digest[:16]}-{owner}"
    doing = f"unpacking {layer.name!r}"
    with boundary(SandboxError, doing), turn(place):
        if done.is_dir():
            return done
        draft = place / ".unpacking"
        if draft.exists():  # of a factory that was killed
            shutil.rmtree(draft)
        deque(pieces(layer), maxlen=0)  # a damaged one is told before anything of it is there
        with room(SandboxError, doing, place, layer.size):
            _unpack(layer, draft, owner)
        draft.rename(done)
        sync(place)
    return done


def _unpack(layer: Layer, draft: Path, owner: int) -> None:
    try:
        draft.mkdir()
        draft.chmod(0o755)
        _extract(tar_of(layer), draft, owner)
        os.sync()  # once for thousands of files
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _extract(tar: Path, to: Path, owner: int) -> None:
    with tarfile.open(tar, errors="surrogateescape") as archive:
        for member in archive:
            # Nothing but what `save` wrote: no path of it leads out, and none lies below a link.
            member.uid = member.gid = owner
            archive.extract(member, to, numeric_owner=True, filter="fully_trusted")
