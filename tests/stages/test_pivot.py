"""The stage pivot, in real boxes: what becomes of each turn, and that nothing is paid for twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from datafactory.cli.exporting import export
from datafactory.formats.pivots import AGENTS, ANSWERS, CALLS
from datafactory.pipeline import Execution, load
from datafactory.storage import open_run

PIPELINE = """\
name: pivots
seed: 7
teacher: oracle
sandbox: namespace
stages:
  - {{use: synthesize, generators: [{{use: terminal_skills, count: 1}}]}}
  - {{use: rollout, agent: {agent}, attempts: 1}}
  - verify
  - {{use: pivot, teacher: {{use: oracle, slip: 0.5}}, turns: 4, rollouts: 6, execute: true}}
"""


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def made(folder: Path, agent: str) -> Path:
    """Run the pipeline, or go on with it; gives the folder of the stage."""
    (folder / "p.yaml").write_text(PIPELINE.format(agent=agent))
    await Execution(load(folder / "p.yaml"), folder / "runs" / "pivots").run()
    return open_run("pivots", folder / "runs").stages[-1].path


@pytest.mark.namespace
@pytest.mark.parametrize("agent", ["tools", "terminus-2"])
async def test_turns_that_are_sometimes_right_stay_and_others_say_why(tmp_path: Path, agent: str) -> None:
    shelf = await made(tmp_path, agent)
    pivots, rejects = rows(shelf / "records.jsonl"), rows(shelf / "rejects.jsonl")
    assert pivots
    assert len(pivots) + len(rejects) == 4
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
    before = (shelf / "records.jsonl").read_bytes()
    assert await made(tmp_path, agent) == shelf
    assert (shelf / "records.jsonl").read_bytes() == before


def _exported(folder: Path, agent: str, pivots: list[dict[str, Any]]) -> None:
    export("pivots", folder / "out", "pivots", folder / "runs", solved=False, kept=False, as_json=False)
    file = ANSWERS if agent == "terminus-2" else CALLS
    for row, pivot in zip(rows(folder / "out" / file), pivots, strict=True):
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
