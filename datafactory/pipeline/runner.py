"""Running a pipeline: record-wise stages side by side, columnar ones when the shelf before them is whole."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from datafactory import __version__
from datafactory.calls import ASIDE, CALLS, Account, Ledger
from datafactory.errors import BudgetSpent, ConfigError
from datafactory.pipeline.pipeline import Pipeline, Planned
from datafactory.protocols import Teacher
from datafactory.registry import suggest, walk
from datafactory.run import Commons, Run
from datafactory.storage import MANIFEST, Shelf
from datafactory.storage.layout import locked, write_run


@dataclass
class Station:
    """One stage at work."""

    planned: Planned
    shelf: Shelf[Any]
    run: Run[Any]
    state: str = "waiting"
    """`waiting`, `working`, `complete`, `short` (items were lost), `capped` (the budget is spent) or `held` (a stage
    before it is not complete)."""
    before: bool = False
    """Whether it was complete before this process began."""


@dataclass
class Execution:
    """A pipeline at work; `stations` may be watched while it runs."""

    pipeline: Pipeline
    folder: Path
    accept_failures: bool = False
    """Seal stages without the items that the infrastructure lost; not one that kept nothing."""
    stations: list[Station] = field(default_factory=list)
    account: Account | None = None
    """What the run has spent on teachers, from its start on."""
    capped: str = ""
    """Which cap of the budget stopped it, in words; empty: none did."""
    _commons: Commons = field(default_factory=Commons, repr=False)

    @property
    def lost(self) -> int:
        """Items that the infrastructure lost and that nobody accepted."""
        return sum(len(s.shelf.lost) for s in self.stations if s.state == "short")

    @property
    def complete(self) -> bool:
        """Whether every stage is."""
        return all(station.state == "complete" for station in self.stations)

    async def run(self) -> None:
        """Bring every stage as far as it goes. Raises RunError, ConfigError, Missing; CancelledError when stopped."""
        with ExitStack() as held:
            held.enter_context(locked(self.folder))
            self._write_run()
            async with AsyncExitStack() as stack:
                ledger = await stack.enter_async_context(Ledger(self.folder / CALLS))
                self.account = Account(ledger, self.pipeline.budget)
                commons = await stack.enter_async_context(Commons())
                for planned in self.pipeline.stages:
                    if self.stations and not self.stations[-1].shelf.sealed:
                        (self.folder / planned.folder / MANIFEST).unlink(missing_ok=True)  # more is to come from before
                    shelf = Shelf(self.folder / planned.folder, planned.stage.writes)
                    await stack.enter_async_context(shelf)
                    self.stations.append(self._station(planned, shelf, commons))
                self._commons = commons
                await self._all()

    def _station(self, planned: Planned, shelf: Shelf[Any], commons: Commons) -> Station:
        run = Run(
            shelf,
            name=self.pipeline.name,
            seed=self.pipeline.seed,
            digest=planned.digest,
            commons=commons,
            account=self.account,
            shelves=[station.shelf for station in self.stations],
        )
        return Station(planned, shelf, run, before=shelf.sealed)

    async def _all(self) -> None:
        tasks = [asyncio.create_task(self._stage(number)) for number in range(len(self.stations))]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _stage(self, number: int) -> None:
        station = self.stations[number]
        source = self.stations[number - 1] if number else None
        try:
            if station.shelf.sealed:
                station.state = "complete"
                return
            if station.planned.stage.columnar and source is not None:
                await source.shelf.ended.wait()
                if source.state != "complete":
                    station.state = "held"
                    return
            station.state = "working"
            await station.planned.stage.run(source.shelf if source else None, station.run)
            self._finish(station, source)
        except BudgetSpent as spent:
            station.state = "capped"  # the stages after it finish what there is
            self.capped = self.capped or str(spent)
        finally:
            station.shelf.ended.set()
        left = [other for other in self.stations if other.state in ("waiting", "working")]
        needed = [spec for other in left for _, spec in walk(other.planned.stage)]
        # Whoever is not asked any more gives up its GPUs: stages to come may need them, and they cost.
        await self._commons.close(lambda spec: isinstance(spec, Teacher) and spec not in needed)

    def _finish(self, station: Station, source: Station | None) -> None:
        if station.shelf.lost and not (self.accept_failures and station.shelf.kept):
            station.state = "short"  # a stage that lost everything is down, whatever was accepted
        elif source is not None and source.state != "complete":
            station.state = "held"
        else:
            station.shelf.seal(self._manifest(station))
            station.state = "complete"

    def _manifest(self, station: Station) -> dict[str, Any]:
        progress = station.run.progress
        seconds = (progress.ended or time.monotonic()) - (progress.started or time.monotonic())
        return {
            "stage": station.planned.name,
            "digest": station.planned.digest,
            "recipe": station.planned.stage.describe(),
            "kept": station.shelf.kept,
            "rejected": dict(station.shelf.dropped.most_common()),
            "lost": len(station.shelf.lost),
            **station.shelf.facts,
            "seconds": round(max(seconds, 0.0), 3),
            "code_version": __version__,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def _write_run(self) -> None:
        write_run(
            self.folder,
            {
                "name": self.pipeline.name,
                "seed": self.pipeline.seed,
                "file": str(self.pipeline.path),
                "pipeline": self.pipeline.describe(),
                "budget": self.pipeline.budget.model_dump(exclude_none=True),
                "stages": [{"use": p.name, "folder": p.folder, "digest": p.digest} for p in self.pipeline.stages],
                "code_version": __version__,
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
            },
        )


def set_aside(pipeline: Pipeline, folder: Path, stage: str | None = None, *, calls: bool = False) -> list[Path]:
    """Move the shelves of `stage` and of those after it out of the way, so that they are made anew; with `calls`, the
    ledger too, so that every answer is paid for anew.

    Nothing is deleted: they go to `before/<time>/` in the run's folder. Raises ConfigError for an unknown stage.
    """
    names = [planned.name for planned in pipeline.stages]
    if stage is not None and stage not in names:
        raise ConfigError(f"--from {stage}: no such stage in {pipeline.path}{suggest(stage, names)}")
    stages = pipeline.stages[names.index(stage) :] if stage is not None else ()
    moved = []
    aside = folder / "before" / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
    with locked(folder):
        for name in (*(planned.folder for planned in stages), *(ASIDE if calls else ())):
            if (folder / name).exists():
                aside.mkdir(parents=True, exist_ok=True)
                moved.append((folder / name).rename(aside / name))
    return moved
