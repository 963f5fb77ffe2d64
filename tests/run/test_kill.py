"""`kill -9` at any moment: nothing is lost, nothing stands twice, and what is paid for again is what was in flight."""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from datafactory.storage import rows

ROOT = Path(__file__).parents[2]
WORKED = Path(__file__).with_name("worked.py")
COUNT = 1200
KILLS = 20

_spec = importlib.util.spec_from_file_location("worked", WORKED)
assert _spec is not None
assert _spec.loader is not None
worked = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(worked)


def start(folder: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(WORKED), str(folder), str(COUNT)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def calls(folder: Path) -> int:
    path = folder / "calls.log"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_after(process: subprocess.Popen[str], folder: Path, more: int) -> bool:
    """Kill once `more` calls were made, and at a random moment then; False where it ended before."""
    goal = calls(folder) + more
    deadline = time.monotonic() + 30
    while calls(folder) < goal and process.poll() is None:
        assert time.monotonic() < deadline, "the process makes no progress"
        time.sleep(0.001)
    time.sleep(random.random() * 0.01)
    killed = process.poll() is None
    process.kill()
    process.wait()
    return killed


@pytest.mark.slow
def test_a_run_that_is_killed_twenty_times_is_exact(tmp_path: Path) -> None:
    kills = 0
    for _ in range(KILLS):
        kills += kill_after(start(tmp_path), tmp_path, random.randint(5, 45))
    assert kills == KILLS, "too few items to kill it so often"
    last = start(tmp_path)
    said, _ = last.communicate(timeout=60)
    assert said.splitlines()[-1] == "done"

    kept = {row["id"]: row["text"] for row in rows(tmp_path / "shelf" / "records.jsonl")}
    dropped = Counter(row["key"] for row in rows(tmp_path / "shelf" / "rejects.jsonl"))
    records = sum(1 for _ in rows(tmp_path / "shelf" / "records.jsonl"))
    for n in range(COUNT):
        wanted = worked.result(f"k{n}", n)
        if isinstance(wanted, worked.Row):
            assert kept[wanted.id] == wanted.text
        else:
            assert dropped[f"k{n}"] == 1
    assert (records, len(kept) + dropped.total()) == (len(kept), COUNT)

    made = Counter((tmp_path / "calls.log").read_text().split())
    assert set(made) == {f"k{n}" for n in range(COUNT)}
    assert made.total() - COUNT <= KILLS * worked.AT_ONCE


def test_a_torn_line_of_a_killed_run_is_cut_and_its_item_done_again(tmp_path: Path) -> None:
    kill_after(start(tmp_path), tmp_path, 60)
    path = tmp_path / "shelf" / "records.jsonl"
    before = path.read_bytes().rpartition(b"\n")[0] + b"\n"
    path.write_bytes(before + b'{"id":"k1199","text":"k11')
    last = start(tmp_path)
    said, _ = last.communicate(timeout=60)
    assert said.splitlines() == ["cut 25", "done"]
    assert path.read_bytes().startswith(before)
    assert sum(row["id"] == "k1199" for row in rows(path)) == 1
