"""The synthesize stage: sound drafts become tasks, and each kind of unsound one is told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datafactory.pipeline import Execution, load
from datafactory.storage import open_run, rows

pytestmark = pytest.mark.namespace


async def made(tmp_path: Path, generators: str, **more: Any) -> Execution:
    """Run one synthesize stage and return how it ended."""
    file = tmp_path / "pipeline.yaml"
    keys = "".join(f"    {key}: {value}\n" for key, value in more.items())
    file.write_text(f"name: gate\nseed: 3\nstages:\n  - use: synthesize\n{keys}    generators: {generators}\n")
    execution = Execution(load(file), tmp_path / "runs" / "gate")
    await execution.run()
    return execution


def faulty(fault: str, count: int = 1) -> str:
    """The generator in the pipeline file."""
    return f'[{{use: "tests.stages.odd_generators:Faulty", fault: {fault}, count: {count}}}]'


REASONS = [
    "refused",
    "no_solution",
    "solution_fails",
    "solution_hangs",
    "solution_too_large",
    "noop_scores",
    "check_crashes",
]


@pytest.mark.parametrize("reason", REASONS)
async def test_an_unsound_draft_is_rejected_for_its_own_reason_and_stays_on_file(tmp_path: Path, reason: str) -> None:
    execution = await made(tmp_path, faulty(reason), tries=1, step_timeout=1)
    shelf = execution.stations[0].shelf
    assert shelf.kept == 0
    assert shelf.dropped == {reason: 1, "slot_given_up": 1}
    reject = next(iter(rows(shelf.folder / "rejects.jsonl")))
    assert reject["key"] == "Faulty-00000#0"
    assert (reject["what"] is None) == (reason == "refused")


async def test_a_check_that_tosses_a_coin_is_never_sound(tmp_path: Path) -> None:
    execution = await made(tmp_path, faulty("flaky", 4), tries=1, repeats=8)
    assert execution.stations[0].shelf.kept == 0
    assert set(execution.stations[0].shelf.dropped) <= {"flaky", "noop_scores", "solution_fails", "slot_given_up"}


async def test_a_slot_whose_first_draft_is_bad_is_filled_by_the_next(tmp_path: Path) -> None:
    execution = await made(tmp_path, faulty("first_try", 3))
    shelf = execution.stations[0].shelf
    assert [task.id for task in sorted(shelf, key=lambda task: task.id)] == [f"Faulty-{n:05d}" for n in range(3)]
    assert shelf.dropped == {"solution_fails": 3}


async def test_a_generator_that_breaks_is_lost_not_rejected(tmp_path: Path) -> None:
    execution = await made(tmp_path, faulty("breaks"))
    station = execution.stations[0]
    assert (station.state, station.shelf.kept, dict(station.shelf.dropped)) == ("short", 0, {})
    failure = next(iter(rows(station.shelf.folder / "failures.jsonl")))
    assert "ZeroDivisionError" in failure["error"]
    assert failure["boundary"] == "making a draft with Faulty"


async def test_a_complete_stage_is_not_run_again(tmp_path: Path) -> None:
    first = await made(tmp_path, faulty("first_try", 2))
    shelf = (first.stations[0].shelf.folder / "records.jsonl").read_bytes()
    again = await made(tmp_path, faulty("first_try", 2))
    assert again.complete
    assert again.stations[0].run.progress.started is None
    assert (again.stations[0].shelf.folder / "records.jsonl").read_bytes() == shelf
    assert open_run("gate", tmp_path / "runs").stages[0].manifest is not None


async def test_many_drafts_are_asked_for_while_one_is_proved(tmp_path: Path) -> None:
    execution = await made(
        tmp_path,
        '[{use: "tests.stages.odd_generators:Dictated", count: 6}]',
        teacher='{use: "tests.stages.odd_generators:Gathering", together: 6}',
        at_once=1,
        repeats=1,
    )
    assert execution.stations[0].shelf.kept == 6
