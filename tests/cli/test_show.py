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

from datafactory.calls import CALLS, Call, Ledger
from datafactory.calls.ledger import Holding
from datafactory.cli.funnel import count
from datafactory.storage import open_run
from datafactory.types import Message, Reply, Task, Trajectory, Usage

Calling = Callable[..., Any]


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


def test_the_funnel_fits_eighty_columns_and_has_no_colour_in_a_pipe(call: Calling, runs: Path) -> None:
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


async def test_a_run_that_has_only_begun_has_no_numbers_for_what_is_to_come(call: Calling, maker: Any) -> None:
    await maker.synthesize([maker.task("alpha-00000", "alpha")], seal=False)
    made = json.loads(call("show", maker.path, "--json").stdout)
    assert made["funnel"] == {"made": 6, "sound": 1, "tried": None, "solved": None, "kept": None}
    assert [stage["state"] for stage in made["stages"]] == ["short", "new", "new", "new", "new"]
    assert made["mean_reward"] is None
    said = call("show", maker.path).stdout
    assert "dataset: none yet" in said


async def test_a_run_that_is_being_written_is_read_up_to_its_torn_line(call: Calling, maker: Any) -> None:
    await maker.synthesize([maker.task("alpha-00000", "alpha")])
    with (maker.path / maker.stages[0] / "records.jsonl").open("ab") as file:
        file.write(b'{"id": "alpha-000')
    done = call("show", maker.path, "--json")
    assert json.loads(done.stdout)["funnel"]["sound"] == 1


def test_a_run_that_nobody_knows_names_those_that_there_are(call: Calling, runs: Path) -> None:
    done = call("show", "dmeo", "--runs", runs)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no run 'dmeo'" in done.stderr
    assert "demo" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_task_shows_prompt_files_checks_and_solution(call: Calling, runs: Path) -> None:
    said = call("show", "demo", "alpha-00000", "--runs", runs).stdout
    for word in ("task alpha-00000", "Count the lines", "/app/in.txt", "8 B", "executable", "75 %", "wc -l <", "MIT"):
        assert word in said


def test_a_trajectory_shows_its_verdict_lineage_and_messages(call: Calling, runs: Path) -> None:
    said = call("show", "demo", "alpha-00000/1", "--runs", runs).stdout
    for word in ("not solved (reward 0.25)", "turn_limit", "saw 2", "slip", "Two lines.", "wc -l in.txt"):
        assert word in said
    assert "3-verify" in said, "the judged row counts, not the rollout's"
    assert "not kept: solved: reward 0.25 < 1.0 (filter solved)" in said.replace("Solved", "solved")


def test_a_reject_shows_its_reason_and_its_draft(call: Calling, runs: Path) -> None:
    said = call("show", "demo", "alpha-00009#2", "--runs", runs).stdout
    for word in ("solution_fails", "exit 1", "Count the lines"):
        assert word in said


def test_the_start_of_an_id_is_enough_where_it_is_the_only_one(call: Calling, runs: Path) -> None:
    assert "task beta-00000" in call("show", "demo", "beta", "--runs", runs).stdout
    assert "trajectory beta-00000/1" in call("show", "demo", "beta-00000/1", "--runs", runs).stdout


def test_the_start_of_several_ids_names_them(call: Calling, runs: Path) -> None:
    done = call("show", "demo", "alpha-0000", "--runs", runs)
    assert done.returncode == 1
    assert "alpha-00000, alpha-00001" in done.stderr


def test_an_unknown_id_names_what_is_near(call: Calling, runs: Path) -> None:
    done = call("show", "demo", "alhpa-00001", "--runs", runs)
    assert done.returncode == 1
    assert "near it: alpha-00001" in done.stderr


def test_a_record_as_json_is_the_record_itself(call: Calling, runs: Path) -> None:
    task = json.loads(call("show", "demo", "alpha-00001", "--runs", runs, "--json").stdout)
    assert task["kind"] == "task"
    assert Task.model_validate(task["record"]).id == "alpha-00001"
    attempt = json.loads(call("show", "demo", "beta-00000/0", "--runs", runs, "--json").stdout)
    assert Trajectory.model_validate(attempt["record"]).verdict is not None
    assert attempt["dropped"]["reason"].startswith("solved: reward 0")


def test_a_line_that_is_no_json_is_named_with_its_file(call: Calling, tmp_path: Path, runs: Path) -> None:
    shutil.copytree(runs / "demo", tmp_path / "broken")
    path = next((tmp_path / "broken").glob("2-*")) / "records.jsonl"
    path.write_bytes(b"not json\n" + path.read_bytes())
    done = call("show", tmp_path / "broken")
    assert done.returncode == 1
    assert "records.jsonl:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_made_nothing_says_so(call: Calling, maker: Any) -> None:
    done = call("show", maker.path)
    assert done.returncode == 0, done.stderr
    assert "nothing was made yet" in done.stdout


async def _spend(run: Path) -> None:
    """Ten calls to a served model that holds two GPUs for an hour, and two to a paid one while tasks were made."""
    async with Ledger(run / CALLS) as ledger:
        for number in range(10):
            usage = Usage(prompt_tokens=40_000, cached_tokens=30_000, completion_tokens=500)
            await ledger.keep(number.to_bytes(32), _a_call("rollout:a/0", "vllm", "Qwen/Qwen3-Coder", usage, 0.0))
        for number in range(10, 12):
            usage = Usage(prompt_tokens=1000, completion_tokens=2000)
            await ledger.keep(number.to_bytes(32), _a_call("synthesize:b#0", "openai", "large", usage, 0.25))
        await ledger.hold(Holding("h", "vllm", 2, 3600.0, 5.0, "2026-01-01T00:00:00+00:00"))


def _a_call(scope: str, teacher: str, model: str, usage: Usage, dollars: float) -> Call:
    reply = Reply(message=Message(role="assistant", content="x"), usage=usage, model=model)
    return Call(scope, teacher, reply, 1.0, dollars)


async def test_what_was_spent_is_told_by_model_and_for_each_accepted_row(
    call: Calling, runs: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(runs / "demo", tmp_path / "demo")
    await _spend(run)
    spent = json.loads(call("show", run, "--json").stdout)["spent"]
    assert (spent["calls"], spent["prompt_tokens"], spent["cached_tokens"]) == (12, 402_000, 300_000)
    assert spent["cached_share"] == pytest.approx(300 / 402, abs=1e-6)
    assert (spent["completion_tokens"], spent["gpu_hours"], spent["dollars"]) == (9000, 2.0, 5.5)
    by = {(row["teacher"], row["model"]): row for row in spent["teachers"]}
    assert by.keys() == {("openai", "large"), ("vllm", "Qwen/Qwen3-Coder")}
    assert by["vllm", "Qwen/Qwen3-Coder"]["gpu_hours"] == 2.0
    assert by["vllm", "Qwen/Qwen3-Coder"]["dollars"] == 5.0
    assert by["openai", "large"]["gpu_hours"] == 0.0
    assert {stage: row["calls"] for stage, row in spent["stages"].items()} == {"rollout": 10, "synthesize": 2}
    assert (spent["accepted"], spent["accepted_are"], spent["yield"]) == (4, "kept", pytest.approx(4 / 6, abs=1e-6))
    assert spent["per_accepted"]["completion_tokens"] == 2250
    assert spent["per_accepted"]["dollars"] == 1.375
    assert spent["per_accepted"]["gpu_seconds"] == 1800

    said = call("show", run).stdout
    assert max(len(line) for line in said.splitlines() if str(tmp_path) not in line) <= 80
    last = next(line for line in said.splitlines() if line.startswith("an accepted row")).split()
    assert last[3:] == ["3", "100", "k", "75", "%", "2,250", "0.5", "1.3750"]
    assert "accepted: 4 rows kept of 6 attempts, a yield of 66.7 %" in said


async def test_before_there_is_a_table_a_solved_attempt_is_an_accepted_row(call: Calling, maker: Any) -> None:
    task = maker.task("alpha-00000", "alpha")
    await maker.synthesize([task])
    await _spend(maker.path)
    begun = json.loads(call("show", maker.path, "--json").stdout)["spent"]
    assert (begun["calls"], begun["accepted"], begun["per_accepted"], begun["yield"]) == (12, None, None, None)
    await maker.attempts(2, [maker.attempt(task, number, None) for number in range(4)])
    await maker.attempts(3, [maker.attempt(task, number, float(number == 0)) for number in range(4)])
    spent = json.loads(call("show", maker.path, "--json").stdout)["spent"]
    assert (spent["accepted"], spent["accepted_are"], spent["yield"]) == (1, "solved", 0.25)
    assert spent["per_accepted"]["calls"] == 12
    assert "accepted: 1 attempt solved of 4" in call("show", maker.path).stdout


async def test_the_models_that_acted_are_named(call: Calling, maker: Any) -> None:
    task = maker.task("alpha-00000", "alpha")
    await maker.synthesize([task])
    made = [maker.attempt(task, number, None) for number in range(3)]
    made = [t.but(teacher="mix", lineage=t.lineage.but(model="large" if t.attempt else "small")) for t in made]
    await maker.attempts(2, made)
    assert json.loads(call("show", maker.path, "--json").stdout)["models"] == {"large": 2, "small": 1}
    assert "models: large 2, small 1" in call("show", maker.path).stdout


def test_a_run_without_a_ledger_says_nothing_of_costs(call: Calling, funnel: dict[str, Any], runs: Path) -> None:
    assert funnel["spent"] is None
    said = call("show", "demo", "--runs", runs).stdout
    assert "accepted" not in said
    assert "dollars" not in said
    assert "models:" not in said


async def test_a_later_stage_that_has_only_begun_takes_no_verdicts_away(maker: Any) -> None:
    """A stage `judge` hands verdicts on: while it runs, it holds but a part of them."""
    task = maker.task("alpha-00000", "alpha")
    await maker.synthesize([task])
    await maker.attempts(2, [maker.attempt(task, number, 1.0) for number in range(4)])
    await maker.attempts(3, [maker.attempt(task, 0, 1.0)], seal=False)
    begun = count(open_run(maker.path))
    assert (begun.judged, begun.total("solved")) == (4, 4)
