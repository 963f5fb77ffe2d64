"""`datafactory show`: the funnel and single records, from real run folders."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datafactory.types import Task, Trajectory

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def funnel(runs: Path) -> dict[str, Any]:
    """The funnel of the finished run, as scripts get it."""
    command = [sys.executable, "-m", "datafactory", "show", "demo", "--runs", str(runs), "--json"]
    made: dict[str, Any] = json.loads(subprocess.check_output(command))
    return made


def test_the_funnel_counts_every_step_by_generator(funnel: dict[str, Any]) -> None:
    made = funnel
    assert made["funnel"] == {"made": 8, "sound": 3, "tried": 6, "solved": 4, "kept": 4}
    assert made["generators"] == {
        "alpha": {"made": 6, "sound": 2, "tried": 4, "solved": 3, "kept": 3},
        "beta": {"made": 2, "sound": 1, "tried": 2, "solved": 1, "kept": 1},
    }
    assert made["stops"] == {"submitted": 3, "turn_limit": 3}
    assert made["teachers"] == {"oracle": 6}
    assert made["mean_reward"] == pytest.approx(4.25 / 6, abs=1e-6)
    assert made["mean_turns"] == 2.0
    assert made["rows"] == 4
    assert Path(made["dataset"]).is_file()


def test_a_slot_that_was_given_up_is_a_reason_but_no_draft(funnel: dict[str, Any]) -> None:
    first = funnel["stages"][0]
    assert first["rejected"] == {"solution_fails": 4, "slot_given_up": 1, "flaky": 1}


def test_what_was_lost_and_done_since_is_not_lost(funnel: dict[str, Any]) -> None:
    assert funnel["stages"][0]["lost"] == {"opening a box": 1}
    assert funnel["stages"][0]["errors"] == {"opening a box": "no room"}


def test_select_tells_how_many_each_filter_dropped(funnel: dict[str, Any]) -> None:
    stages = funnel["stages"]
    assert {name.lower(): count for name, count in stages[3]["rejected"].items()} == {"solved": 2}
    assert [stage["state"] for stage in stages] == ["complete"] * 5


def test_the_funnel_fits_eighty_columns_and_has_no_colour_in_a_pipe(call: Call, runs: Path) -> None:
    said = call("show", "demo", "--runs", runs).stdout
    table = [line for line in said.splitlines() if str(runs) not in line]
    assert max(map(len, table)) <= 80
    assert "\x1b" not in said
    for word in (
        "alpha",
        "beta",
        "solution_fails",
        "opening a box",
        "no room",
        "submitted 3",
        "mean reward 0.708",
        "4 rows in",
    ):
        assert word in said


async def test_a_run_that_has_only_begun_has_no_numbers_for_what_is_to_come(call: Call, maker: Any) -> None:
    await maker.synthesize([maker.task("alpha-00000", "alpha")], seal=False)
    made = json.loads(call("show", maker.path, "--json").stdout)
    assert made["funnel"] == {"made": 6, "sound": 1, "tried": None, "solved": None, "kept": None}
    assert [stage["state"] for stage in made["stages"]] == ["short", "new", "new", "new", "new"]
    assert made["mean_reward"] is None
    said = call("show", maker.path).stdout
    assert "dataset: none yet" in said


async def test_a_run_that_is_being_written_is_read_up_to_its_torn_line(call: Call, maker: Any) -> None:
    await maker.synthesize([maker.task("alpha-00000", "alpha")])
    with (maker.path / maker.stages[0] / "records.jsonl").open("ab") as file:
        file.write(b'{"id": "alpha-000')
    done = call("show", maker.path, "--json")
    assert json.loads(done.stdout)["funnel"]["sound"] == 1


def test_a_run_that_nobody_knows_names_those_that_there_are(call: Call, runs: Path) -> None:
    done = call("show", "dmeo", "--runs", runs)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no run 'dmeo'" in done.stderr
    assert "demo" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_task_shows_prompt_files_checks_and_solution(call: Call, runs: Path) -> None:
    said = call("show", "demo", "alpha-00000", "--runs", runs).stdout
    for word in ("task alpha-00000", "Count the lines", "/app/in.txt", "8 B", "executable", "75 %", "wc -l <", "MIT"):
        assert word in said


def test_a_trajectory_shows_its_verdict_lineage_and_messages(call: Call, runs: Path) -> None:
    said = call("show", "demo", "alpha-00000/1", "--runs", runs).stdout
    for word in ("not solved (reward 0.25)", "turn_limit", "saw 2", "slip", "Two lines.", "wc -l in.txt"):
        assert word in said
    assert "3-verify" in said, "the judged row counts, not the rollout's"
    assert "not kept: solved: reward 0.25 < 1.0 (filter solved)" in said.replace("Solved", "solved")


def test_a_reject_shows_its_reason_and_its_draft(call: Call, runs: Path) -> None:
    said = call("show", "demo", "alpha-00009#2", "--runs", runs).stdout
    for word in ("solution_fails", "exit 1", "Count the lines"):
        assert word in said


def test_the_start_of_an_id_is_enough_where_it_is_the_only_one(call: Call, runs: Path) -> None:
    assert "task beta-00000" in call("show", "demo", "beta", "--runs", runs).stdout
    assert "trajectory beta-00000/1" in call("show", "demo", "beta-00000/1", "--runs", runs).stdout


def test_the_start_of_several_ids_names_them(call: Call, runs: Path) -> None:
    done = call("show", "demo", "alpha-0000", "--runs", runs)
    assert done.returncode == 1
    assert "alpha-00000, alpha-00001" in done.stderr


def test_an_unknown_id_names_what_is_near(call: Call, runs: Path) -> None:
    done = call("show", "demo", "alhpa-00001", "--runs", runs)
    assert done.returncode == 1
    assert "near it: alpha-00001" in done.stderr


def test_a_record_as_json_is_the_record_itself(call: Call, runs: Path) -> None:
    task = json.loads(call("show", "demo", "alpha-00001", "--runs", runs, "--json").stdout)
    assert task["kind"] == "task"
    assert Task.model_validate(task["record"]).id == "alpha-00001"
    attempt = json.loads(call("show", "demo", "beta-00000/0", "--runs", runs, "--json").stdout)
    assert Trajectory.model_validate(attempt["record"]).verdict is not None
    assert attempt["dropped"]["reason"].startswith("solved: reward 0")


def test_a_line_that_is_no_json_is_named_with_its_file(call: Call, tmp_path: Path, runs: Path) -> None:
    shutil.copytree(runs / "demo", tmp_path / "broken")
    path = next((tmp_path / "broken").glob("2-*")) / "records.jsonl"
    path.write_bytes(b"not json\n" + path.read_bytes())
    done = call("show", tmp_path / "broken")
    assert done.returncode == 1
    assert "records.jsonl:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_made_nothing_says_so(call: Call, maker: Any) -> None:
    done = call("show", maker.path)
    assert done.returncode == 0, done.stderr
    assert "nothing was made yet" in done.stdout
