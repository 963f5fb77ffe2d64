"""A line of work with a judge: its scores reach the dataset, a filter reads them, and the manifest says their worth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from datafactory.cli.funnel import count
from datafactory.cli.showing import measured
from datafactory.pipeline import Execution, load
from datafactory.storage import open_run

PAGES = [{"url": "ada", "title": "Ada", "contents": "Ada Lovelace wrote the notes."}]


def says(score: float) -> str:
    return json.dumps({"reasoning": "it says so", "score": score})


def a_pipeline(folder: Path) -> dict[str, Any]:
    """Two questions, both answered with a name: right for the first, which has an answer, and wrong for the second."""
    (folder / "pages.jsonl").write_text("\n".join(map(json.dumps, PAGES)))
    corpus = {"use": "jsonl", "files": [str(folder / "pages.jsonl")], "name": "few"}
    made = {"use": "tests.stages.odd_questions:Asking", "count": 2, "corpus": corpus}
    answer = {"tool_calls": [{"id": "c", "name": "answer", "arguments": {"answer": "Ada Lovelace"}}]}
    replies = [{"episode": f"Asking-0000{number}/0", "replies": [says(0.2 + 0.7 * (number == 0))]} for number in (0, 1)]
    (folder / "scores.jsonl").write_text("\n".join(map(json.dumps, replies)))
    return {
        "name": "judged",
        "teacher": {"use": "scripted", "replies": [answer]},
        "stages": [
            {"use": "synthesize", "generators": [made], "tries": 1},
            {"use": "rollout", "agent": "search", "attempts": 1},
            "verify",
            {"use": "judge", "judges": [{"use": "scripted", "path": str(folder / "scores.jsonl")}]},
            {"use": "select", "filters": ["solved", {"use": "score", "name": "success", "min": 0.5}]},
        ],
    }


async def test_a_filter_by_judge_states_its_precision_and_recall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("DATAFACTORY_SEARCH_URL", raising=False)
    path = tmp_path / "judged.yaml"
    path.write_text(json.dumps(a_pipeline(tmp_path)))
    execution = Execution(load(path), tmp_path / "run")
    await execution.run()
    shelf = execution.stations[-1].shelf
    kept = pl.read_parquet(shelf.folder / "records.parquet")
    assert [(s["name"], s["value"], s["judge"]) for s in kept["scores"][0]] == [("success", 0.9, "scripted")]
    told = json.loads((shelf.folder / "manifest.json").read_text())["measured"]
    # Of all rows, though `solved` stands before it.
    assert told["score"]["verified"] == 2
    assert (told["score"]["precision"][0], told["score"]["recall"][0]) == (1.0, 1.0)
    tally = count(open_run(tmp_path / "run")).stages[-1]
    assert tally.measured == told
    assert measured(tally.measured["score"]) == (
        "precision 1.000 [1.000, 1.000], recall 1.000 [1.000, 1.000] (2 rows, 1 solved)"
    )


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    said = {"precision": None, "recall": [0.5, 0.25, 0.75], "verified": 1200, "solved": 3}
    assert measured(said) == "precision unknown, recall 0.500 [0.250, 0.750] (1,200 rows, 3 solved)"
