"""The whole line of work on real parts: from rows to a dataset that `datasets` loads."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from datafactory import __version__
from datafactory.cli.exporting import export
from datafactory.pipeline import Execution, load
from datafactory.storage import rows

PIPELINE = """
name: line
seed: 5
teacher: oracle
sandbox: {sandbox}
stages:
  - use: synthesize
    generators: [{{use: terminal_skills, count: 4}}]
  - {{use: rollout, attempts: 2, agent: {agent}}}
  - verify
  - {{use: select, filters: [solved, {{use: length, max_turns: 40}}, duplicate, format]}}
  - {{use: arrange, curriculum: mixed}}
"""


async def line(tmp_path: Path, sandbox: str, agent: str) -> Execution:
    """Run the line of work in one sandbox and one dialect."""
    file = tmp_path / "line.yaml"
    file.write_text(PIPELINE.format(sandbox=sandbox, agent=agent))
    execution = Execution(load(file), tmp_path / "runs" / "line")
    await execution.run()
    return execution


BOTH = [
    pytest.param("namespace", marks=pytest.mark.namespace),
    pytest.param("docker", marks=[pytest.mark.docker, pytest.mark.slow]),
]


@pytest.mark.parametrize("agent", ["terminus-2", "tools"])
@pytest.mark.parametrize("sandbox", BOTH)
async def test_a_seed_becomes_verified_trajectories(tmp_path: Path, sandbox: str, agent: str) -> None:
    execution = await line(tmp_path, sandbox, agent)
    assert [station.state for station in execution.stations] == ["complete"] * 5
    assert [station.shelf.kept for station in execution.stations[:3]] == [4, 8, 8]
    rejected = [attempt for attempt in execution.stations[2].shelf if not attempt.verdict.solved]
    assert not rejected, [attempt.verdict for attempt in rejected]
    table = pl.read_parquet(execution.stations[-1].shelf.folder / "records.parquet")
    assert table["rank"].to_list() == list(range(table.height))
    assert table.height == execution.stations[3].shelf.kept
    lineage = json.loads(table["lineage"][0])
    assert lineage["sandbox"] == sandbox
    assert lineage["model"] == "oracle"
    assert lineage["code_version"] == __version__
    assert lineage["image_digest"]


@pytest.mark.namespace
async def test_the_dataset_loads_with_messages_and_tools(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    execution = await line(tmp_path, "namespace", "tools")
    path = execution.stations[-1].shelf.folder / "records.parquet"
    loaded = datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    row = loaded[0]
    assert [m["role"] for m in row["messages"][:3]] == ["system", "user", "assistant"]
    call = next(c for m in row["messages"] for c in m.get("tool_calls") or [])
    assert isinstance(call["function"]["arguments"], dict)
    assert {tool["function"]["name"] for tool in row["tools"]} == {"bash", "submit"}


@pytest.mark.namespace
async def test_what_filters_drop_stays_on_file_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "line.yaml"
    text = PIPELINE.format(sandbox="namespace", agent="tools").replace("max_turns: 40", "max_turns: 2")
    file.write_text(text)
    execution = Execution(load(file), tmp_path / "runs" / "line")
    await execution.run()
    shelf = execution.stations[3].shelf
    assert shelf.kept == 0
    assert shelf.dropped == {"length": 8}
    dropped = pl.read_parquet(shelf.folder / "rejects.parquet")
    assert set(dropped["filter"]) == {"length"}
    assert all("2" in reason for reason in dropped["reason"])
    assert not list(rows(execution.stations[1].shelf.folder / "failures.jsonl"))


@pytest.mark.namespace
async def test_what_the_filters_kept_can_be_exported_alone(tmp_path: Path) -> None:
    file = tmp_path / "line.yaml"
    text = PIPELINE.format(sandbox="namespace", agent="tools")
    file.write_text(text.replace("duplicate, format", '"tests.stages.odd_filters:FirstAttempts"'))
    execution = Execution(load(file), tmp_path / "runs" / "line")
    await execution.run()
    export(str(execution.folder), tmp_path / "kept", "sharegpt", tmp_path, solved=False, kept=True, as_json=True)
    export(str(execution.folder), tmp_path / "all", "sharegpt", tmp_path, solved=False, kept=False, as_json=True)
    counted = [len((tmp_path / name / "sharegpt.jsonl").read_text().splitlines()) for name in ("kept", "all")]
    assert counted == [4, 8]


@pytest.mark.namespace
async def test_a_run_that_ends_with_no_rows_is_a_failure(tmp_path: Path) -> None:
    file = tmp_path / "line.yaml"
    file.write_text(PIPELINE.format(sandbox="namespace", agent="tools").replace("max_turns: 40", "max_turns: 1"))
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "datafactory", "run", str(file), "--runs", str(tmp_path / "runs")],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert "complete, but no record is left (select rejected 8)" in ended.stderr
