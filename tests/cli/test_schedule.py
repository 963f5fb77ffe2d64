"""`datafactory schedule`: jobs are listed, rest, and what came of their slots is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from datafactory.scheduling import Book, Slot

Call = Callable[..., Any]
PIPELINE = """\
name: powers
teacher: oracle
stages:
  - {use: synthesize, generators: [{use: terminal_skills, count: 2}]}
  - rollout
  - verify
  - {use: select, filters: [solved]}
  - {use: arrange, curriculum: mixed}
"""


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """A folder of two jobs, one of which has a history."""
    (tmp_path / "powers.yaml").write_text(PIPELINE)
    folder = tmp_path / "schedules"
    folder.mkdir()
    (folder / "nightly.yaml").write_text("pipeline: ../powers.yaml\ncron: 0 3 * * *\ntimezone: Asia/Tokyo\n")
    (folder / "weekly.yaml").write_text("pipeline: ../powers.yaml\ncron: 0 5 * * 1\n")
    book = Book(folder / ".book")
    for day, state, why in ((1, "done", ()), (2, "held", ("rows: 2 is under the bar of 50",))):
        at = datetime(2026, 3, day, 18, tzinfo=UTC)
        told: Any = {"state": state, "reasons": why, "facts": {"rows": 2}, "began": at, "ended": at}
        book.take(Slot(job="nightly", at=at, **told))
    return tmp_path


def test_jobs_are_listed_with_their_next_and_last_slot(call: Call, jobs: Path) -> None:
    done = call("schedule", "list")
    assert done.returncode == 0, done.stderr
    assert "0 3 * * * Asia/Tokyo" in done.stdout
    assert "20260302T1800Z held" in done.stdout
    rows = json.loads(call("schedule", "list", "--json").stdout)
    assert [(row["job"], (row["last"] or {}).get("state")) for row in rows] == [("nightly", "held"), ("weekly", None)]
    assert rows[0]["next"].endswith("T03:00+09:00")


def test_the_next_slots_are_in_the_jobs_own_hours(call: Call, jobs: Path) -> None:
    rows = json.loads(call("schedule", "next", "weekly", "-n", "3", "--json").stdout)
    moments = [datetime.fromisoformat(text) for text in rows[0]["slots"]]
    assert [(moment.weekday(), moment.hour) for moment in moments] == [(0, 5)] * 3


def test_history_says_why_a_run_was_held(call: Call, jobs: Path) -> None:
    done = call("schedule", "history", "nightly")
    assert "rows: 2 is under the bar of 50" in done.stdout
    rows = json.loads(call("schedule", "history", "-n", "1", "--json").stdout)
    assert [(row["slot"], row["state"]) for row in rows] == [("20260302T1800Z", "held")]


def test_a_job_rests_until_it_is_resumed_and_misses_what_came(call: Call, jobs: Path) -> None:
    assert call("schedule", "pause", "nightly").returncode == 0
    assert json.loads(call("schedule", "list", "--json").stdout)[0]["state"] == "paused"
    assert call("schedule", "resume", "nightly").returncode == 0
    last = json.loads(call("schedule", "history", "nightly", "-n", "1", "--json").stdout)[0]
    assert (last["state"], last["besides"] > 200) == ("missed", True)
    assert json.loads(call("schedule", "list", "--json").stdout)[0]["state"] == ""


def test_mistakes_are_told(call: Call, jobs: Path) -> None:
    assert "there is no job 'nightl'; did you mean 'nightly'?" in call("schedule", "history", "nightl").stderr
    assert "is done, not held" in call("schedule", "release", "nightly", "20260301T1800Z").stderr
    assert "publish: says not where to" in call("schedule", "release", "nightly", "20260302T1800Z").stderr
    assert "no such scheduler" in call("schedule", "export", "--to", "cronjob").stderr
    empty = call("schedule", "run", "--jobs", "nowhere")
    assert (empty.returncode, "no such folder" in empty.stderr) == (1, True)


def test_jobs_are_exported(call: Call, jobs: Path) -> None:
    done = call("schedule", "export", "--to", "crontab", "--only", "weekly")
    assert done.stdout.count("datafactory schedule run --once --only weekly") == 1
    assert "nightly" not in done.stdout
