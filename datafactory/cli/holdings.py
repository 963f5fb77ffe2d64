"""What hangs on the layers of this machine: images in the Docker engine, tasks of runs, and who uses them now."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from datafactory import registry
from datafactory.cli.printing import clean
from datafactory.errors import BoundaryError, DataError, Missing
from datafactory.layers import Layer, Stocked, stock
from datafactory.storage import RECORDS, RunFolder, StageFolder, is_running, is_task, lines, open_run

_IMAGE = re.compile(rb'"image":"(layer/[^"\\]+)"')


class Image(Protocol):
    """An image of a layer in the Docker engine, as the sandbox tells of it."""

    id: str
    reference: str
    layer: str
    size: int
    made: float


class Images(Protocol):
    """The module of the docker sandbox that knows images of layers."""

    def built(self) -> list[Image]: ...
    def take_away(self, image: Image) -> bool: ...
    def reference(self, layer: Layer) -> str: ...


class Records(Protocol):
    """The module of the generators of SWE tasks that knows what is on file of environments."""

    def forget(self, image: str) -> None: ...


@dataclass(frozen=True)
class Naming:
    """A run that has tasks of a layer."""

    run: str
    tasks: int
    running: bool


@dataclass(frozen=True)
class Holding:
    """A layer with all that hangs on it."""

    kept: Stocked
    image: Image | None
    """What Docker boxes are opened from; None: there is none."""
    older: tuple[Image, ...]
    """Built of an earlier layer of that name."""
    runs: tuple[Naming, ...]

    @property
    def in_use(self) -> str:
        """Why it cannot go now; empty: it can."""
        running = ", ".join(naming.run for naming in self.runs if naming.running)
        if running:
            return f"a run that goes on has tasks of it: {running}"
        return "boxes of it are open, or a run may open some" if self.kept.held else ""

    @property
    def takes(self) -> int:
        """Bytes on this machine's disk and in the engine."""
        return self.kept.size + sum(image.size for image in self.images)

    @property
    def images(self) -> tuple[Image, ...]:
        """All of them."""
        return self.older if self.image is None else (self.image, *self.older)


@dataclass(frozen=True)
class Holdings:
    """All of them."""

    layers: tuple[Holding, ...]
    strays: tuple[Image, ...]
    """Images of layers that are not kept here: deleted by hand, or another user's of the same engine."""
    engine: str
    """Why no engine was asked; empty: one was."""


def look(runs: Path) -> Holdings:
    """Look at the disk, the engine and the runs in `runs`."""
    kept, named = stock(), _named(runs)
    try:
        built, engine = images().built(), ""
    except (Missing, BoundaryError, ImportError) as error:
        built, engine = [], clean(error, one_line=True)
    names = {each.name for each in kept}
    current = {images().reference(each.layer) for each in kept if each.layer} if built else set()
    found = []
    for each in kept:
        reference = images().reference(each.layer) if built and each.layer else ""
        image = next((image for image in built if reference and image.reference == reference), None)
        older = tuple(image for image in built if image.layer == each.name and image.reference not in current)
        found.append(Holding(each, image, older, tuple(named.get(each.name, ()))))
    strays = tuple(image for image in built if image.layer not in names and image.reference not in current)
    return Holdings(tuple(found), strays, engine)


def images() -> Images:
    """The docker sandbox's module of that name, found through its room's table."""
    package = registry.table("sandbox")["docker"].partition(":")[0].rpartition(".")[0]
    module: Images = importlib.import_module(f"{package}.docker_layers")
    return module


def records() -> Records:
    """The module that keeps environments, found through its room's table."""
    package = registry.table("generator")["swe_mutations"].partition(":")[0].rpartition(".")[0]
    module: Records = importlib.import_module(f"{package}.repositories")
    return module


def _named(runs: Path) -> dict[str, list[Naming]]:
    """Runs by the layers that their tasks name."""
    found: dict[str, list[Naming]] = {}
    for path in sorted(runs.glob("*/run.json")):
        try:
            run = open_run(path.parent, runs)
        except DataError as error:
            print(f"warning: tasks of this run are not counted: {clean(error)}", file=sys.stderr)
            continue
        running = is_running(run.path)
        for name, tasks in sorted(_layers_of(run).items()):
            found.setdefault(name, []).append(Naming(run.name, tasks, running))
    return found


def _layers_of(run: RunFolder) -> Counter[str]:
    stage = next((stage for stage in run.stages if _has_tasks(stage)), None)
    counted = Counter[str]()
    for line in lines(stage.path / RECORDS) if stage else ():
        if match := _IMAGE.search(line):
            counted[match[1].decode(errors="replace")] += 1
    return counted


def _has_tasks(stage: StageFolder) -> bool:
    path = stage.path / RECORDS
    if not path.exists():
        return False
    try:
        row = json.loads(next(lines(path), b"{}"))
    except ValueError:
        return False
    return isinstance(row, dict) and is_task(row)
