"""`datafactory run` as a process: its exit codes, and how it stops and goes on."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COUNT = "{use: 'workshop:Count', count: %d, pause: %g}"
BUILD = "{use: 'workshop:Build', out_of_order: %s, broken: broken}"


class Desk:
    """A folder with a pipeline file, and the command run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder / "runs" / "shells"

    def write(self, *stages: str) -> None:
        lines = "\n".join(f"  - {stage}" for stage in stages)
        (self.folder / "shells.yaml").write_text(f"name: shells\nstages:\n{lines}\n")

    def start(self, *flags: str) -> subprocess.Popen[str]:
        env = {**os.environ, "PYTHONPATH": f"{ROOT}:{Path(__file__).with_name('extension')}"}
        command = [sys.executable, "-c", "from datafactory.cli import main; main()", "run", "shells.yaml", *flags]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, env=env, stdout=pipe, stderr=pipe, text=True)

    def command(self, *flags: str) -> tuple[int, str, str]:
        process = self.start(*flags)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def records(self, stage: str) -> int:
        return sum(path.read_bytes().count(b"\n") for path in self.run.glob(f"?-{stage}-*/records.jsonl"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_run_that_is_done_exits_with_0_and_says_where_the_records_are(desk: Desk) -> None:
    desk.write(COUNT % (20, 0), BUILD % [])
    code, out, err = desk.command()
    assert code == 0, err
    assert "done: 20 records in runs/shells/2-build-" in out
    assert "datafactory show shells" in out


def test_json_is_all_that_is_printed_where_a_script_asks_for_it(desk: Desk) -> None:
    desk.write(COUNT % (20, 0), BUILD % [])
    code, out, err = desk.command("--json")
    assert code == 0, err
    said = json.loads(out)
    assert said["complete"] is True
    assert [(row["stage"], row["state"], row["kept"]) for row in said["stages"]] == [
        ("count", "complete", 20),
        ("build", "complete", 20),
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_exits_with_130_and_says_how_to_go_on(desk: Desk, number: signal.Signals) -> None:
    desk.write(COUNT % (100, 0.02), BUILD % [])
    process = desk.start()
    deadline = time.monotonic() + 30
    while desk.records("build") < 5:
        assert time.monotonic() < deadline, "the run makes no progress"
        time.sleep(0.01)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Go on with: datafactory run shells.yaml" in err
    assert "Traceback" not in err
    before = desk.records("count")
    assert 5 <= before < 100
    code, _, err = desk.command()
    assert code == 0, err
    assert (desk.records("count"), desk.records("build")) == (100, 100)


def test_a_run_that_lost_items_exits_with_3_and_goes_on_when_the_cause_is_mended(desk: Desk) -> None:
    (desk.folder / "broken").touch()
    desk.write(COUNT % (20, 0), BUILD % [3])
    code, _, err = desk.command()
    assert code == 3, err
    assert "lost items: 1 in build" in err
    assert "datafactory run shells.yaml" in err
    (desk.folder / "broken").unlink()
    assert desk.command()[0] == 0
    assert desk.records("build") == 20


def test_failures_that_are_accepted_exit_with_0(desk: Desk) -> None:
    (desk.folder / "broken").touch()
    desk.write(COUNT % (20, 0), BUILD % [3])
    code, _, err = desk.command("--accept-failures")
    assert code == 0, err
    assert desk.records("build") == 19


def test_a_stage_that_lost_everything_is_not_sealed_whatever_is_accepted(desk: Desk) -> None:
    (desk.folder / "broken").touch()
    desk.write(COUNT % (5, 0), BUILD % list(range(5)))
    code, _, err = desk.command("--accept-failures")
    assert code == 3, err
    assert "lost items: 5 in build" in err
    assert "--accept-failures" not in err.rpartition("Mend the cause")[2].partition(":")[0]
    (desk.folder / "broken").unlink()
    assert desk.command()[0] == 0
    assert desk.records("build") == 5


def test_the_command_to_go_on_with_finds_the_same_runs(desk: Desk) -> None:
    (desk.folder / "broken").touch()
    desk.write(COUNT % (20, 0), BUILD % [3])
    code, _, err = desk.command("--runs", "other folder")
    assert code == 3, err
    assert "datafactory run shells.yaml --runs 'other folder'" in err


def test_a_dead_infrastructure_exits_with_4(desk: Desk) -> None:
    (desk.folder / "broken").touch()
    desk.write(COUNT % (60, 0), BUILD % list(range(60)))
    code, _, err = desk.command()
    assert code == 4, err
    assert "items were lost to the infrastructure" in err
    assert desk.records("build") == 0


def test_a_dry_run_runs_nothing(desk: Desk) -> None:
    desk.write(COUNT % (20, 0), BUILD % [])
    code, _, err = desk.command("--dry-run")
    assert code == 0, err
    assert not desk.run.exists()


def test_stages_are_made_anew_from_the_one_that_is_named(desk: Desk) -> None:
    desk.write(COUNT % (20, 0), BUILD % [])
    assert desk.command()[0] == 0
    code, _, err = desk.command("--from", "build")
    assert code == 0, err
    assert "set aside: runs/shells/before/" in err
    assert len(list(desk.run.glob("1-count-*"))) == 1
    assert len(list(desk.run.glob("2-build-*"))) == 1
    assert len(list(desk.run.glob("before/*/2-build-*"))) == 1


def test_a_run_in_a_folder_that_cannot_be_made_exits_with_1(desk: Desk) -> None:
    (desk.folder / "runs").write_text("a file")
    desk.write(COUNT % (20, 0))
    code, _, err = desk.command()
    assert code == 1
    assert err.startswith("error: making runs/shells: ")
    assert "Traceback" not in err


@pytest.mark.slow
def test_a_pipeline_that_is_killed_again_and_again_ends_exact(desk: Desk) -> None:
    desk.write(COUNT % (300, 0.01), BUILD % [])
    for _ in range(8):
        process = desk.start()
        goal, deadline = desk.records("build") + random.randint(3, 15), time.monotonic() + 30
        while desk.records("build") < goal:
            assert time.monotonic() < deadline, "the run makes no progress"
            time.sleep(0.003)
        process.kill()
        process.communicate()
    code, _, err = desk.command()
    assert code == 0, err
    for stage in ("count", "build"):
        (path,) = desk.run.glob(f"?-{stage}-*/records.jsonl")
        keys = [json.loads(line)["id"] for line in path.read_text().splitlines()]
        assert sorted(keys) == sorted(f"p{n}" for n in range(300))
