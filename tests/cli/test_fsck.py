"""`datafactory fsck`: what a disk did is named by file and line, and taken out so that it is made again."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Call = Callable[..., Any]


@pytest.fixture
def demo(runs: Path, tmp_path: Path) -> Path:
    """A copy of the finished run `demo`, as it is in `runs/`."""
    shutil.copytree(runs / "demo", tmp_path / "runs" / "demo")
    return tmp_path / "runs" / "demo"


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 2
    path.write_bytes(data)


def damages(call: Call) -> list[tuple[str, int | None, str]]:
    done = call("fsck", "demo", "--json")
    found = json.loads(done.stdout)["damages"]
    assert done.returncode == (1 if found else 0), done.stderr
    return [(Path(each["file"]).name, each["line"], each["said"]) for each in found]


def test_a_run_that_nothing_happened_to_is_whole(call: Call, demo: Path) -> None:
    assert damages(call) == []
    assert call("fsck", "demo").stdout == "demo: nothing is damaged\n"


def test_a_flipped_bit_is_named_and_its_record_taken_out(call: Call, demo: Path) -> None:
    stage = next(demo.glob("2-rollout-*"))
    before = (stage / "records.jsonl").read_bytes().splitlines()
    flip(stage / "records.jsonl", len(before[0]) + 40)
    found = damages(call)
    assert found[0] == ("records.jsonl", 2, "the line is not what was written (its checksum differs)")
    done = call("fsck", "demo", "--repair")
    assert "1 lines taken out; the next run makes again what is missing" in done.stdout
    assert (stage / "records.jsonl").read_bytes().splitlines() == [before[0], *before[2:]]
    assert (stage / "records.jsonl.damaged").read_bytes().count(b"\n") == 1
    assert not (stage / "manifest.json").exists()
    assert damages(call) == []


def test_lines_that_are_no_json_or_stand_twice_are_told(call: Call, demo: Path) -> None:
    stage = next(demo.glob("2-rollout-*"))
    lines = (stage / "records.jsonl").read_bytes().splitlines(keepends=True)
    (stage / "records.jsonl.crc").unlink(missing_ok=True)
    (stage / "records.jsonl").write_bytes(b"".join([*lines, b"{broken\n", lines[0], b'{"torn']))
    said = [(line, text) for _, line, text in damages(call)]
    count = len(lines)
    assert said[0][0] == count + 1
    assert said[0][1].startswith("not JSON")
    assert said[1] == (count + 2, f"{json.loads(lines[0])['task_id']}/0 stands here a second time")
    assert said[2][1] == "6 bytes of a line that was never finished"


def test_a_damaged_table_and_manifest_are_set_aside(call: Call, demo: Path) -> None:
    table = next(iter(sorted(demo.glob("*/records.parquet"))))
    table.write_bytes(table.read_bytes()[:-20])
    manifest = next(demo.glob("1-*/manifest.json"))
    manifest.write_text("{")
    assert {name for name, _, _ in damages(call)} == {"records.parquet", "manifest.json"}
    call("fsck", "demo", "--repair")
    assert not table.exists()
    assert table.with_name("records.parquet.damaged").exists()
    assert not manifest.exists()


def test_a_damaged_ledger_is_set_aside(call: Call, demo: Path) -> None:
    calls = demo / "calls.sqlite"
    calls.unlink(missing_ok=True)
    with sqlite3.connect(calls) as connection:
        connection.execute("create table t (x)")
        connection.executemany("insert into t values (?)", [("y" * 500,)] * 200)
    connection.close()
    assert damages(call) == []
    data = bytearray(calls.read_bytes())
    data[4096:6000] = b"\xff" * 1904
    calls.write_bytes(data)
    assert next(name for name, _, _ in damages(call)) == "calls.sqlite"
    assert "paid for again" in call("fsck", "demo", "--repair").stdout
    assert not calls.exists()
