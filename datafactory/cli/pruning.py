"""`datafactory layers prune` and `remove`: layers go, with all that hangs on them, unless they are in use."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from datafactory import layers, registry
from datafactory.cli.holdings import Holding, Holdings, Image, images, look, records
from datafactory.cli.layering import ago, named
from datafactory.cli.printing import clean, console, size, words
from datafactory.errors import ConfigError, RunError
from datafactory.sizes import in_bytes, in_seconds


@dataclass(frozen=True)
class Wanted:
    """What shall go; each that is given makes more go."""

    names: tuple[str, ...] = ()
    """Names or patterns: nothing else goes. Alone: all that they fit."""
    unused: float | None = None
    """Seconds without a use, after which a layer goes."""
    keep: int | None = None
    """Bytes that may stay: those used longest ago go first."""
    strays: bool = False
    """Images of layers that are not kept here."""


@dataclass
class Plan:
    """What goes, and why."""

    layers: list[tuple[Holding, str]] = field(default_factory=list)
    spared: list[tuple[Holding, str]] = field(default_factory=list)
    """In use."""
    tidied: list[Holding] = field(default_factory=list)
    """They stay; what lies beside them goes."""
    strays: tuple[Image, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.layers or self.tidied or self.strays)


def prune(
    names: Sequence[str], runs: Path, *, unused: str | None, keep: str | None, strays: bool, dry_run: bool, yes: bool
) -> None:
    """Delete what is asked for, and always what is damaged or left over. Raises ConfigError, SandboxError."""
    found = look(runs)
    wanted = Wanted(
        tuple(_full(name) for name in names),
        None if unused is None else in_seconds(unused),
        None if keep is None else in_bytes(keep),
        strays,
    )
    _check_names([name for name in wanted.names if not set("*?[") & set(name)], found)
    plan = choose(found, wanted)
    _show(plan)
    if not plan:
        asked = names or unused or keep or strays
        print("nothing to delete" if asked else "nothing is damaged or left over; --unused 30d, --keep 10g or names?")
        return
    if dry_run:
        print("nothing was deleted: --dry-run")
        return
    _ask(plan, yes=yes)
    _carry_out(plan, found)


def remove(names: Sequence[str], runs: Path, *, yes: bool) -> None:
    """Delete these. Raises ConfigError for one that is not there, RunError where one is in use."""
    found = look(runs)
    there = {each.kept.name: each for each in found.layers}
    asked = list(dict.fromkeys(_full(name) for name in names))
    _check_names(asked, found)
    if used := [f"{name}: {there[name].in_use}" for name in asked if there[name].in_use]:
        raise RunError("in use, nothing was deleted:\n" + "\n".join(used))
    plan = Plan([(there[name], "asked for") for name in asked])
    _show(plan)
    _ask(plan, yes=yes)
    if spared := _carry_out(plan, found):
        raise RunError(f"in use meanwhile, and not deleted: {', '.join(spared)}")


def _check_names(names: Sequence[str], found: Holdings) -> None:
    """Raises ConfigError for those that no layer has."""
    there = [each.kept.name for each in found.layers]
    if unknown := [f"no layer {name!r}{registry.suggest(name, there)}" for name in names if name not in there]:
        raise ConfigError(unknown)


def choose(found: Holdings, wanted: Wanted) -> Plan:
    """What goes of it."""
    plan = Plan(strays=found.strays if wanted.strays else ())
    fitting = [
        each
        for each in found.layers
        if not wanted.names or any(fnmatchcase(each.kept.name, pattern) for pattern in wanted.names)
    ]
    reasons = {each.kept.name: why for each in fitting if (why := _reason(each, wanted))}
    if wanted.keep is not None:
        total = sum(each.takes for each in found.layers if each.kept.name not in reasons or each.in_use)
        for each in sorted(fitting, key=lambda each: each.kept.used):
            if total > wanted.keep and each.kept.name not in reasons:
                reasons[each.kept.name] = "used longest ago"
                total -= 0 if each.in_use else each.takes
    for each in fitting:
        if each.kept.name in reasons and each.in_use:
            plan.spared.append((each, each.in_use))
        elif each.kept.name in reasons:
            plan.layers.append((each, reasons[each.kept.name]))
        elif (each.kept.left or each.older) and not each.in_use:
            plan.tidied.append(each)
    return plan


def _reason(each: Holding, wanted: Wanted) -> str:
    if each.kept.problem:
        return "damaged"
    if wanted.unused is not None and time.time() - each.kept.used >= wanted.unused:
        return f"not used for {ago(each.kept.used)}"
    return "named" if wanted.names and wanted.unused is None and wanted.keep is None else ""


def _full(name: str) -> str:
    return name if name.startswith(layers.PREFIX) else f"{layers.PREFIX}{name}"


def _show(plan: Plan) -> None:
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    for fold in (False, True, False, True):
        table.add_column(overflow="fold" if fold else "ellipsis", no_wrap=not fold)
    for each, why in plan.layers:
        tasks = f"tasks of {named(each)} need it" if each.runs else ""
        table.add_row("delete", words(each.kept.name), size(each.takes), words("; ".join(filter(None, (why, tasks)))))
    for each in plan.tidied:
        left = each.kept.left + sum(image.size for image in each.older)
        table.add_row("tidy", words(each.kept.name), size(left), "left over from earlier work")
    for image in plan.strays:
        table.add_row("delete", words(image.layer), size(image.size), "an image of a layer that is not kept here")
    for each, why in plan.spared:
        table.add_row(words("keep", "yellow"), words(each.kept.name), size(each.takes), words(why))
    if table.row_count:
        console().print(table)


def _ask(plan: Plan, *, yes: bool) -> None:
    """Raises ConfigError where nobody can be asked; ends the program where the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError("nobody can be asked here: say --yes")
    if any(each.runs for each, _ in plan.layers):
        print("Boxes of those tasks open again once the repositories are set up anew.")
    print("Delete? [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise RunError("nothing was deleted")


def _carry_out(plan: Plan, found: Holdings) -> list[str]:
    """Delete it, and say what came of it; the names of layers that were in use by then."""
    gone, spared, freed = dict[str, Holding](), list[str](), 0
    for each, _ in plan.layers:
        try:
            if layers.remove(each.kept.name, broken=bool(each.kept.problem)):
                gone[each.kept.name] = each
                freed += each.kept.size
                records().forget(each.kept.name)
        except RunError:
            spared.append(each.kept.name)
    doomed = [image for each in gone.values() for image in each.images]
    for each in plan.tidied:
        try:
            layers.tidy(each.kept.name)
            freed += each.kept.left
            doomed += each.older
        except RunError:
            spared.append(each.kept.name)
    shared = {each.image.id for each in found.layers if each.image and each.kept.name not in gone}
    images = {image.id: image for image in (*doomed, *plan.strays) if image.id not in shared}
    freed += sum(_take_away(image) for image in images.values())
    print(f"freed {size(freed)}" + (f"; in use by now, and kept: {clean(', '.join(spared))}" if spared else ""))
    return spared


def _take_away(image: Image) -> int:
    """Bytes that it freed."""
    if images().take_away(image):
        return image.size
    print(f"kept in the Docker engine, since a container uses it: {clean(image.reference or image.id)}")
    return 0
