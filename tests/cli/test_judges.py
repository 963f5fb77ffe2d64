"""`datafactory judges`: scores held against verdicts, from real run folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datafactory.judging.scored import scored
from datafactory.storage import open_run
from datafactory.types import Score, Trajectory

Calling = Callable[..., Any]


def judged(maker: Any, *, judge: str = "qwen", verdicts: bool = True) -> list[Trajectory]:
    """Two attempts at each of 12 tasks; the judge is right about all but two."""
    made = []
    for number in range(12):
        task = maker.task(f"beta-1{number:04}", "beta")
        for attempt in range(2):
            solved = attempt == number % 2
            value = 0.9 if solved != (number < 2) else 0.2
            scores = (Score(name="success", value=value, judge=judge), Score(name="quality", judge=judge, note="?"))
            reward = float(solved) if verdicts else None
            made.append(maker.attempt(task, attempt, reward).but(scores=scores))
    return made


async def test_the_report_says_how_far_the_judge_is_right(maker: Any, call: Calling) -> None:
    await maker.attempts(3, judged(maker))
    done = call("judges", str(maker.path), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    quality, success = told["judges"]
    assert (success["rubric"], success["judge"], success["attempts"], success["tasks"]) == ("success", "qwen", 24, 12)
    assert success["pairwise_accuracy"][0] == pytest.approx(10 / 12, abs=1e-6)
    assert success["worst_domain"]["domain"] == "software_engineering"
    assert success["roc_auc"][0] == pytest.approx((10 * 10 + 0.5 * 2 * 20) / 144, abs=1e-6)
    best = success["best_of_k"][-1]
    assert (best["k"], best["judge"][0], best["loss"][0]) == (2, 0.833333, 0.166667)
    assert (quality["attempts"], quality["unreadable"]) == (0, 24)
    assert quality["notes"] == ["no attempt has both a score that can be read and a verdict"]


async def test_a_person_reads_the_same(maker: Any, call: Calling) -> None:
    await maker.attempts(3, judged(maker, judge=maker.hostile))
    done = call("judges", str(maker.path))
    assert done.returncode == 0, done.stderr
    assert ": 24 attempts at 12 tasks, 50.0 % solved\n" in done.stdout
    assert "pairwise accuracy  0.833" in done.stdout
    assert "24 of 24 scores cannot be read" in done.stdout
    assert "note: only 12 tasks: the intervals are rough" in done.stdout
    assert "\x1b" not in done.stdout


async def test_scores_without_verdicts_measure_nothing_and_that_is_said(maker: Any, call: Calling) -> None:
    await maker.attempts(3, judged(maker, verdicts=False), seal=False)
    done = call("judges", str(maker.path))
    assert "(so far: the stage is not complete)" in done.stdout
    assert "24 without a verdict" in done.stdout
    assert "no attempt has both a score that can be read and a verdict" in done.stdout


async def test_a_run_without_scores_says_what_to_add(maker: Any, call: Calling) -> None:
    await maker.attempts(3, [attempt.but(scores=()) for attempt in judged(maker)])
    done = call("judges", str(maker.path))
    assert done.returncode == 1
    assert "no attempt has a score; put a stage `judge` behind `verify`" in done.stderr


async def test_a_table_is_read_with_what_its_filters_dropped(maker: Any) -> None:
    attempts = judged(maker)
    tasks = {attempt.task_id: maker.task(attempt.task_id, "beta") for attempt in attempts}
    await maker.synthesize(list(tasks.values()))
    for number in (2, 3):
        await maker.attempts(number, attempts)
    await maker.columns()
    from_records = scored(open_run(maker.path))
    for name in maker.stages[1:3]:
        (maker.path / name / "records.jsonl").unlink()
        (maker.path / name / "records.parquet").unlink(missing_ok=True)
    from_table = scored(open_run(maker.path))
    assert from_table.stage.name == "select"
    assert from_table.attempts == 24
    columns = from_records.rows.columns
    assert from_table.rows.sort(columns).equals(from_records.rows.sort(columns))


async def test_plots_are_drawn_for_what_there_are_numbers_for(maker: Any, call: Calling, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    await maker.attempts(3, judged(maker))
    done = call("judges", str(maker.path), "--plots", tmp_path / "plots", "--json")
    names = ("calibration", "roc", "precision-recall", "best-of-k")
    wanted = {f"success-{name}.{suffix}" for name in names for suffix in ("png", "svg")}
    assert {path.name for path in (tmp_path / "plots").iterdir()} == wanted
    assert {Path(path).name for path in json.loads(done.stdout)["plots"]} == wanted
    assert (tmp_path / "plots" / "success-roc.png").read_bytes().startswith(b"\x89PNG")
