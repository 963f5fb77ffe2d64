"""`datafactory layers list`: the layers of this machine, what they take of its disk and who uses them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from datafactory.cli.holdings import Holding, Holdings, look
from datafactory.cli.printing import console, say_json, size, words

_SPANS = ((86_400, "d"), (3600, "h"), (60, "min"))


def list_layers(runs: Path, *, as_json: bool) -> None:
    """Print them all, damaged ones too."""
    found = look(runs)
    if as_json:
        say_json(as_row(found))
        return
    out = console()
    if found.layers:
        out.print(_table(found))
        for each in found.layers:
            if each.kept.problem:
                out.print(words(each.kept.problem, "yellow"))
        out.print()
    for line in totals(found):
        out.print(words(line))


def _table(found: Holdings) -> Any:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("layer", overflow="fold")
    for column in ("disk", "engine"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("used", no_wrap=True)
    for each in found.layers:
        kept = each.kept
        engine = size(sum(image.size for image in each.images)) if each.images else "-"
        used = "in use" if each.in_use else ago(kept.used)
        table.add_row(words(kept.name), size(kept.size), engine, used)
        about = [kept.layer.base if kept.layer else "damaged", f"made {ago(kept.made)} ago"]
        about += ["unpacked"] * bool(kept.unpacked) + [f"tasks of {named(each)}"] * bool(each.runs)
        table.add_row(words(f"  {', '.join(about)}", "dim"))
    return table


def totals(found: Holdings) -> list[str]:
    """What they take in all, a line for each place."""
    count = len(found.layers)
    said = [f"{count} layer{'' if count == 1 else 's'}, {size(sum(each.kept.size for each in found.layers))} on disk"]
    if found.engine:
        said.append(f"no Docker engine was asked: {found.engine}")
        return said
    held = {image.id: image.size for each in found.layers for image in each.images}
    said[0] += f", {size(sum(held.values()))} in the Docker engine"
    if found.strays:
        strays = size(sum(image.size for image in found.strays))
        said.append(
            f"{len(found.strays)} images in the Docker engine, {strays}, are of layers that are not kept here "
            "(deleted, or another user's): datafactory layers prune --strays"
        )
    return said


def named(each: Holding) -> str:
    """The runs that have tasks of it."""
    return ", ".join(f"{naming.run} ({naming.tasks:,})" for naming in each.runs)


def ago(then: float) -> str:
    """How long it is since a moment: ``8 s``, ``5 min``, ``3 h``, ``12 d``."""
    past = max(0.0, time.time() - then)
    return next((f"{past / span:.0f} {unit}" for span, unit in _SPANS if past >= span), f"{past:.0f} s")


def as_row(found: Holdings) -> dict[str, Any]:
    """All of it, for scripts; sizes in bytes."""
    return {
        "layers": [_row(each) for each in found.layers],
        "strays": [
            {"id": image.id, "layer": image.layer, "size": image.size, "made": _when(image.made)}
            for image in found.strays
        ],
        "engine": found.engine or None,
    }


def _row(each: Holding) -> dict[str, Any]:
    kept, layer = each.kept, each.kept.layer
    return {
        "name": kept.name,
        "base": layer.base if layer else None,
        "digest": layer.digest if layer else None,
        "problem": kept.problem or None,
        "size": kept.size,
        "unpacked": kept.unpacked,
        "left_over": kept.left,
        "image": {"reference": each.image.reference, "size": each.image.size} if each.image else None,
        "older_images": [image.id for image in each.older],
        "made": _when(kept.made),
        "used": _when(kept.used),
        "in_use": each.in_use or None,
        "runs": [{"run": naming.run, "tasks": naming.tasks, "running": naming.running} for naming in each.runs],
    }


def _when(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
