"""How far a run is and how long it will take: the numbers behind the live table."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import pytest

from datafactory.cli.pace import Pace
from datafactory.pipeline import Execution, Pipeline, Planned, Station
from datafactory.run import Run
from datafactory.stages.stage import Stage
from datafactory.storage import Shelf
from datafactory.types import Check, Record, Source, Task


class First(Stage):
    """Makes a hundred."""

    writes: ClassVar[type[Record]] = Task

    def expected(self, before: int | None) -> int | None:
        """A hundred."""
        return 100


class Second(Stage):
    """Makes two of each."""

    reads: ClassVar[type[Record] | None] = Task
    writes: ClassVar[type[Record]] = Task

    def expected(self, before: int | None) -> int | None:
        """Twice as many."""
        return None if before is None else 2 * before


def a_task(number: int) -> Task:
    """The smallest task."""
    check = Check(name="c", argv=("true",))
    return Task(id=f"t-{number}", digest="d", prompt="p", checks=(check,), source=Source(generator="g"))


@pytest.fixture
async def execution(tmp_path: Path) -> AsyncIterator[Execution]:
    """Two stages that have just begun."""
    planned = (Planned(1, "first", First(), "1" * 16), Planned(2, "second", Second(), "2" * 16))
    made = Execution(Pipeline(tmp_path / "p.yaml", "p", 0, planned), tmp_path)
    for plan in planned:
        shelf = Shelf(tmp_path / plan.folder, Task)
        run = Run(shelf)
        run.progress.started = time.monotonic()
        made.stations.append(Station(plan, shelf, run, state="working"))
    yield made
    for station in made.stations:
        await station.shelf.close()


async def _finish(station: Station, count: int) -> None:
    for _ in range(count):
        await station.run.emit(f"t-{station.shelf.kept}", a_task(station.shelf.kept))
        station.run.progress.finished += 1


async def test_a_stage_that_streams_grows_with_what_the_one_before_it_made(execution: Execution) -> None:
    pace = Pace(execution)
    first, second = pace.lines()
    assert (first.total, first.final) == (100, True)
    assert (second.total, second.final) == (0, False)
    await _finish(execution.stations[0], 10)
    assert pace.lines()[1].total == 20
    execution.stations[0].state = "complete"
    first, second = pace.lines()
    assert (second.total, second.final) == (20, True)
    assert first.over
    assert first.done == first.total == 10


async def test_a_stage_that_streams_ends_after_the_one_before_it(execution: Execution) -> None:
    pace = Pace(execution)
    pace.lines()
    await _finish(execution.stations[0], 10)
    await _finish(execution.stations[1], 19)
    time.sleep(0.05)
    first, second = pace.lines()
    assert first.eta is not None
    assert second.eta is not None
    assert first.eta == pytest.approx(90 / first.rate)
    # A stage with one item in its queue still has 180 to come.
    assert second.eta >= first.eta


async def test_an_eta_is_not_made_up_before_anything_is_done(execution: Execution) -> None:
    assert [line.eta for line in Pace(execution).lines()] == [None, None]


async def test_rejected_items_are_done_and_lost_ones_are_not(execution: Execution) -> None:
    station = execution.stations[0]
    await _finish(station, 3)
    station.run.progress.finished += 2
    station.run.progress.failed += 4
    station.shelf.dropped["why"] = 2
    station.shelf.lost |= {"a", "b", "c", "d"}
    line = Pace(execution).lines()[0]
    assert (line.done, line.kept, line.rejected, line.lost) == (5, 3, 2, 4)


async def test_items_of_an_earlier_process_are_done_but_make_no_rate(execution: Execution) -> None:
    pace = Pace(execution)
    pace.lines()
    execution.stations[0].run.progress.skipped = 60
    time.sleep(0.01)
    line = pace.lines()[0]
    assert line.done == 60
    assert line.rate == 0


async def test_a_stage_whose_shelf_is_not_open_yet_waits(execution: Execution) -> None:
    pace = Pace(execution)
    held = execution.stations.pop()
    assert [line.state for line in pace.lines()] == ["working", "waiting"]
    execution.stations.append(held)


@pytest.mark.parametrize("before", [True, False])
async def test_a_stage_that_was_complete_before_says_so(execution: Execution, before: bool) -> None:
    station = execution.stations[0]
    await station.run.emit("t-0", a_task(0))
    station.shelf.seal({"kept": 1, "rejected": {}})
    station.state, station.before = "complete", before
    line = Pace(execution).lines()[0]
    assert line.before == before
    assert line.over
    assert line.kept == 1
