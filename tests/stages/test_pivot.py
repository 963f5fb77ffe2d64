"""The stage pivot, in real boxes: what becomes of each turn, and that nothing is paid for twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from datafactory.formats.pivots import AGENTS, ANSWERS, CALLS
from datafactory.storage import RunFolder, open_run

PIPELINE = """\
name: pivots
seed: 7
teacher: oracle
sandbox: namespace
stages:
  - {{use: synthesize, generators: [{{use: terminal_skills, count: 2}}]}}
  - {{use: rollout, agent: {agent}, attempts: 1}}
{more}
"""
PIVOT = "  - {{use: pivot, teacher: {{use: oracle, slip: 0.5}}, turns: 4, rollouts: 6, execute: {execute}}}"


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "datafactory", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=dict(os.environ), check=False)


def made(folder: Path, agent: str, *, verify: bool = True, execute: bool = True) -> RunFolder:
    more = ["  - verify"] * verify + [PIVOT.format(execute=str(execute).lower())]
    (folder / "p.yaml").write_text(PIPELINE.format(agent=agent, more="\n".join(more)))
    done = run(folder, "run", "p.yaml")
    assert done.returncode == 0 or not verify, done.stderr
    return open_run("pivots", folder / "runs")


@pytest.mark.namespace
@pytest.mark.parametrize("agent", ["tools", "terminus-2"])
def test_turns_that_are_sometimes_right_stay_and_others_say_why(tmp_path: Path, agent: str) -> None:
    stage = made(tmp_path, agent).stages[-1]
    pivots, rejects = list(stage.records()), list(stage.rejects())
    assert pivots
    assert len(pivots) + len(rejects) == 8
    reasons = Counter(each["reason"] for each in rejects)
    assert set(reasons) <= {"never_right", "always_right", "too_easy", "replay_differs"}
    for pivot in pivots:
        scores = [rollout["score"] for rollout in pivot["rollouts"]]
        assert pivot["passed"] == sum(scores)
        assert 0 < pivot["mean"] < pivot["max_mean"]
        assert pivot["variance"] == pytest.approx(pivot["mean"] * (1 - pivot["mean"]), abs=1e-6)
        assert {rollout["rung"] is not None for rollout in pivot["rollouts"]} == {True, False}
        assert pivot["verifier"] == "action+outcome"
        assert pivot["messages"][-1]["role"] != "assistant"
    _exported(tmp_path, agent, pivots)
    _again(tmp_path)


def _exported(folder: Path, agent: str, pivots: list[dict[str, Any]]) -> None:
    done = run(folder, "export", "pivots", "out", "--format", "pivots")
    assert done.returncode == 0, done.stderr
    file = ANSWERS if agent == "terminus-2" else CALLS
    rows = [json.loads(line) for line in (folder / "out" / file).read_text().splitlines()]
    assert len(rows) == len(pivots)
    for row, pivot in zip(rows, pivots, strict=True):
        assert row["agent_ref"] == {"type": "responses_api_agents", "name": AGENTS[file]}
        shares = (row["pass_rate"], row["pass_rate_passed"], row["pass_rate_total"])
        assert shares == (pivot["mean"], pivot["passed"], pivot["total"])
        assert row["responses_create_params"]["input"][-1].get("role") != "assistant"
        if file == CALLS:
            action = row["expected_action"]
            assert action["type"] == "function_call"
            assert json.loads(action["arguments"]) == pivot["expected"]["tool_calls"][0]["arguments"]
            assert row["responses_create_params"]["tool_choice"] == "auto"
            assert row["pivot_tags"] == []
        else:
            assert json.loads(row["expected_answer"]) == json.loads(pivot["expected"]["content"])
            assert row["metadata"]["harness"] == "terminus_2"
            assert row["metadata"]["category"] == ("first_round" if pivot["turn"] == 0 else "others")


def _again(folder: Path) -> None:
    """A finished run that is repeated makes no call and no box."""
    stage = open_run("pivots", folder / "runs").stages[-1]
    before = (stage.path / "records.jsonl").read_bytes()
    done = run(folder, "run", "p.yaml")
    assert done.returncode == 0, done.stderr
    assert (stage.path / "records.jsonl").read_bytes() == before


@pytest.mark.namespace
def test_attempts_without_a_verdict_are_no_experts(tmp_path: Path) -> None:
    stage = made(tmp_path, "tools", verify=False, execute=False).stages[-1]
    assert [each["reason"] for each in stage.rejects()] == ["not_verified"] * 2
    assert list(stage.records()) == []
