"""Running pipelines: stages stream, shelves are found again, and what is lost keeps a run short."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from datafactory.errors import ConfigError, RunError
from datafactory.pipeline import Execution, load, set_aside
from datafactory.storage import open_run
from datafactory.storage.layout import locked

COUNT = "{use: 'workshop:Count', count: 20%s}"
BUILD = "{use: 'workshop:Build'%s}"
WEIGH = "{use: 'workshop:Weigh'}"


class Bench:
    """A pipeline file and its run's folder."""

    def __init__(self, folder: Path, workshop: ModuleType) -> None:
        self.folder = folder / "runs" / "shells"
        self.file = folder / "shells.yaml"
        self.workshop = workshop

    def write(self, *stages: str, seed: int = 7) -> None:
        lines = "\n".join(f"  - {stage}" for stage in stages)
        self.file.write_text(f"name: shells\nseed: {seed}\nstages:\n{lines}\n")

    def execution(self, **options: Any) -> Execution:
        return Execution(load(self.file), self.folder, **options)

    async def run(self, **options: Any) -> Execution:
        self.workshop.EVENTS.clear()
        execution = self.execution(**options)
        await asyncio.wait_for(execution.run(), 20)
        return execution

    def folders(self) -> list[str]:
        return [planned.folder for planned in load(self.file).stages]


@pytest.fixture
def bench(tmp_path: Path, workshop: ModuleType) -> Bench:
    return Bench(tmp_path, workshop)


async def test_stages_stream(bench: Bench) -> None:
    bench.write(COUNT % ", pause: 0.005", BUILD % "", WEIGH)
    done = await bench.run()
    events = bench.workshop.EVENTS
    assert done.complete
    assert events.index("build p0") < events.index("count p19")
    assert events[-1] == "weigh"
    assert [station.shelf.kept for station in done.stations] == [20, 20, 1]
    run = open_run(bench.folder)
    assert [stage.name for stage in run.stages] == ["count", "build", "weigh"]
    assert all(stage.manifest is not None for stage in run.stages)
    assert next(run.stages[2].records()) == {"id": "all", "n": 20}


async def test_a_run_that_is_complete_does_nothing(bench: Bench) -> None:
    bench.write(COUNT % "", BUILD % "", WEIGH)
    await bench.run()
    again = await bench.run()
    assert again.complete
    assert bench.workshop.EVENTS == []


async def test_a_run_that_is_stopped_goes_on_and_pays_only_for_what_was_in_flight(bench: Bench) -> None:
    bench.write(COUNT % ", pause: 0.005", BUILD % "", WEIGH)
    going = asyncio.create_task(bench.execution().run())
    while len(bench.workshop.EVENTS) < 12:
        await asyncio.sleep(0.001)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert asyncio.all_tasks() == {asyncio.current_task()}
    before = list(bench.workshop.EVENTS)
    again = await bench.run()
    assert again.complete
    twice = set(before) & set(bench.workshop.EVENTS)
    assert len(twice) <= 4
    assert again.stations[1].shelf.kept == 20


async def test_what_shapes_the_data_moves_the_folder_and_those_after_it(bench: Bench) -> None:
    bench.write(COUNT % "", BUILD % "", WEIGH)
    first = bench.folders()
    bench.write(COUNT % "", BUILD % ", prefix: part", WEIGH)
    second = bench.folders()
    assert [one == other for one, other in zip(first, second, strict=True)] == [True, False, False]
    bench.write(COUNT % "", BUILD % "", WEIGH, seed=8)
    assert not set(first) & set(bench.folders())
    bench.write(COUNT % "", BUILD % "", WEIGH)
    assert bench.folders() == first


async def test_knobs_of_speed_move_nothing(bench: Bench) -> None:
    bench.write(COUNT % "", BUILD % "")
    first = bench.folders()
    await bench.run()
    bench.write(COUNT % ", at_once: 7, pause: 0.001", BUILD % ", broken: nowhere")
    assert bench.folders() == first
    await bench.run()
    assert bench.workshop.EVENTS == []


async def test_a_changed_input_file_makes_a_new_shelf(bench: Bench, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    bench.write(COUNT % f", words: {words}", BUILD % "")
    words.write_text("one")
    first = bench.folders()
    words.write_text("two")
    assert not set(first) & set(bench.folders())
    words.write_text("one")
    assert bench.folders() == first


async def test_a_stage_that_changes_keeps_the_shelves_before_it(bench: Bench) -> None:
    bench.write(COUNT % "", BUILD % "", WEIGH)
    await bench.run()
    bench.write(COUNT % "", BUILD % ", skip_odd: true", WEIGH)
    done = await bench.run()
    assert not any(event.startswith("count") for event in bench.workshop.EVENTS)
    assert (done.stations[1].shelf.kept, dict(done.stations[1].shelf.dropped)) == (10, {"odd": 10})
    assert done.stations[2].shelf.get("all").n == 10


async def test_a_second_run_in_the_same_folder_is_refused_and_harms_nothing(bench: Bench) -> None:
    bench.write(COUNT % ", pause: 0.01", BUILD % "")
    going = asyncio.create_task(bench.execution().run())
    while not bench.workshop.EVENTS:
        await asyncio.sleep(0.001)
    with pytest.raises(RunError, match="in use by another run"):
        await bench.execution().run()
    with pytest.raises(RunError, match="in use by another run"):
        set_aside(load(bench.file), bench.folder, "count")
    await going
    assert (await bench.run()).complete
    with locked(bench.folder):
        pass


async def test_lost_items_keep_a_run_short_and_the_next_one_picks_up_only_those(bench: Bench, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.touch()
    bench.write(COUNT % "", BUILD % f", out_of_order: [3, 5], broken: {broken}", WEIGH)
    short = await bench.run()
    assert [station.state for station in short.stations] == ["complete", "short", "held"]
    assert (short.complete, short.lost) == (False, 2)
    assert open_run(bench.folder).stages[1].manifest is None
    assert "weigh" not in bench.workshop.EVENTS
    broken.unlink()
    mended = await bench.run()
    assert mended.complete
    assert sorted(bench.workshop.EVENTS) == ["build p3", "build p5", "weigh"]
    assert mended.stations[2].shelf.get("all").n == 20


async def test_accepted_failures_go_on_without_the_lost(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    bench.write(COUNT % "", BUILD % f", out_of_order: [3], broken: {tmp_path / 'broken'}", WEIGH)
    done = await bench.run(accept_failures=True)
    assert done.complete
    assert done.stations[2].shelf.get("all").n == 19
    manifest = open_run(bench.folder).stages[1].manifest
    assert manifest is not None
    assert (manifest["kept"], manifest["lost"]) == (19, 1)


async def test_a_mistake_in_a_stage_ends_the_run_and_keeps_what_was_made(bench: Bench) -> None:
    bench.write(COUNT % ", pause: 0.01", "{use: 'workshop:Mistaken'}")
    with pytest.raises(ZeroDivisionError):
        await bench.run()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert all(stage.manifest is None for stage in open_run(bench.folder).stages)


async def test_stages_set_aside_are_made_anew_and_nothing_is_deleted(bench: Bench) -> None:
    bench.write(COUNT % "", BUILD % "", WEIGH)
    await bench.run()
    for _ in range(2):
        moved = set_aside(load(bench.file), bench.folder, "build")
        assert [path.name.partition("-")[0] for path in moved] == ["2", "3"]
        assert all((path / "manifest.json").exists() for path in moved)
        again = await bench.run()
        assert again.complete
        assert not any(event.startswith("count") for event in bench.workshop.EVENTS)
    assert len(list(bench.folder.glob("2-build-*"))) == 1
    assert len(list(bench.folder.glob("before/*/2-build-*"))) == 2


def test_an_unknown_stage_to_begin_from_is_said_with_a_suggestion(bench: Bench) -> None:
    bench.write(COUNT % "", BUILD % "")
    with pytest.raises(ConfigError, match=r"--from biuld: no such stage in .*did you mean 'build'"):
        set_aside(load(bench.file), bench.folder, "biuld")


async def test_the_manifest_tells_how_a_shelf_was_made(bench: Bench) -> None:
    bench.write(COUNT % "", BUILD % ", skip_odd: true")
    await bench.run()
    manifest = open_run(bench.folder).stages[1].manifest
    assert manifest is not None
    assert (manifest["kept"], manifest["rejected"], manifest["lost"]) == (10, {"odd": 10}, 0)
    assert manifest["recipe"] == {
        "use": "workshop:Build",
        "prefix": "whole",
        "out_of_order": [],
        "skip_odd": True,
    }
    assert manifest["digest"].startswith(open_run(bench.folder).stages[1].path.name.rpartition("-")[2])
