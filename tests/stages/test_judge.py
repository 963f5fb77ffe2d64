"""The stage `judge`: scores of real stages and shelves, ensembles, samples, and answers that are paid for once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from datafactory.calls import Account, Ledger
from datafactory.registry import build
from datafactory.run import Run
from datafactory.stages.judge import Judge
from datafactory.storage import Shelf
from datafactory.types import Score, Task, Trajectory
from tests.judging.attempts import a_task, an_attempt


def says(score: float, reason: str = "because") -> str:
    return json.dumps({"reasoning": reason, "score": score})


def a_judge(*replies: str) -> dict[str, Any]:
    return {"use": "scripted", "replies": list(replies)}


def a_stage(**keys: Any) -> Judge:
    problems: list[Any] = []
    made = build("stage", {"use": "judge", **keys}, (), problems)
    assert isinstance(made, Judge), problems
    return made


async def judged(
    folder: Path, stage: Judge, attempts: Sequence[Trajectory], account: Account | None = None
) -> list[Trajectory]:
    """Run the stage on a shelf of attempts; gives its own shelf's records."""
    async with Shelf(folder / "tasks", Task) as tasks, Shelf(folder / "before", Trajectory) as before:
        if not before.kept:
            await tasks.keep("count-1", a_task())
            for attempt in attempts:
                await before.keep(attempt.id, attempt)
        before.seal({"kept": before.kept, "rejected": {}})
        before.ended.set()
        async with Shelf(folder / "judged", Trajectory) as shelf:
            run = Run(shelf, name="r", seed=7, shelves=[tasks, before], account=account)
            await stage.run(before, run)
            return sorted(shelf, key=lambda row: row.id)


async def test_one_judge_gives_one_score_and_nothing_else_of_the_attempt_changes(tmp_path: Path) -> None:
    attempt = an_attempt()
    [made] = await judged(tmp_path, a_stage(judges=[a_judge(says(0.9, "it counted"))]), [attempt])
    assert made.scores == (Score(name="success", value=0.9, judge="scripted", note="it counted"),)
    assert made.but(scores=()) == attempt


async def test_several_judges_give_a_score_each_and_one_together(tmp_path: Path) -> None:
    stage = a_stage(judges=[a_judge(says(0.9)), a_judge(says(0.4)), a_judge("no idea")], combine="median")
    [made] = await judged(tmp_path, stage, [an_attempt()])
    assert [(score.judge, score.value) for score in made.scores] == [
        ("scripted", 0.9),
        ("scripted.2", 0.4),
        ("scripted.3", None),
        ("combined", 0.65),
    ]
    assert made.scores[2].note.startswith("unreadable: no JSON")
    assert made.scores[3].note == "median of 2 of 3 judges: scripted 0.9, scripted.2 0.4, scripted.3 -"


async def test_a_score_is_the_mean_of_the_samples(tmp_path: Path) -> None:
    [made] = await judged(tmp_path, a_stage(judges=[a_judge(says(1), says(0.5), "?")], samples=3), [an_attempt()])
    assert made.scores[0].value == 0.75


async def test_what_other_judges_said_before_stays_and_the_same_judge_has_its_newest_word(tmp_path: Path) -> None:
    old = (Score(name="quality", value=7, judge="scripted"), Score(name="success", value=0.1, judge="scripted"))
    [made] = await judged(tmp_path, a_stage(judges=[a_judge(says(0.8))]), [an_attempt().but(scores=old)])
    assert [(score.name, score.value) for score in made.scores] == [("quality", 7), ("success", 0.8)]


async def test_a_run_that_is_repeated_asks_nobody(tmp_path: Path) -> None:
    """The judge of the second run has no answer to give: all come from the ledger."""
    script = tmp_path / "answers.jsonl"
    script.write_text(json.dumps({"replies": [says(0.9), says(0.7)]}))
    stage = a_stage(judges=[{"use": "tests.stages.odd_judges:Dear", "path": str(script)}], samples=2)
    found = []
    for number in range(2):
        async with Ledger(tmp_path / "calls.sqlite") as ledger:
            account = Account(ledger)
            [made] = await judged(tmp_path / str(number), stage, [an_attempt()], account)
            found.append((made.scores[0].value, account.spent.calls, account.found))
        script.write_text(json.dumps({"replies": ["nobody should ask"]}))
    assert found == [(0.8, 2, 0), (0.8, 2, 2)]


def test_a_rubric_of_ones_own_counts_in_the_recipe_and_a_missing_one_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "tidy.md"
    path.write_text("---\nname: tidy\nscale: [0, 1]\n---\nTidy?\n")
    stage = a_stage(judges=["judge_rules"], rubric=str(path))
    assert list(stage.inputs()) == [path]
    assert list(stage.problems()) == []
    assert list(a_stage(judges=["judge_rules"]).inputs()) == []
    [said] = a_stage(judges=["judge_rules"], rubric="sucess").problems()
    assert "no rubric of that name" in said


def test_the_plan_counts_the_calls() -> None:
    stage = a_stage(judges=["judge_rules", a_judge("x")], samples=3)
    assert stage.calls(1000) == "6,000 calls of judges"


@pytest.mark.parametrize(
    ("last", "stop", "value", "said"),
    [
        ("root@box:/app# cat out.txt\n7", "submitted", 0.9, "It looked at results"),
        ("bash: wcc: command not found", "submitted", 0.65, "Near the end something printed 'command not found'"),
        ("7", "turn_limit", 0.4, "It ended by turn_limit"),
    ],
)
async def test_the_rules_judge_without_a_model(tmp_path: Path, last: str, stop: str, value: float, said: str) -> None:
    turns = (("assistant", "wc -l /app/in.txt > /app/out.txt; cat /app/out.txt"), ("user", last))
    [made] = await judged(tmp_path, a_stage(judges=["judge_rules"]), [an_attempt(*turns).but(stop=stop)])
    assert (made.scores[0].judge, made.scores[0].value) == ("judge_rules", pytest.approx(value))
    assert said in made.scores[0].note


async def test_the_rules_miss_paths_that_were_never_typed_and_know_other_scales(tmp_path: Path) -> None:
    stage = a_stage(judges=["judge_rules"], rubric="quality")
    [made] = await judged(tmp_path, stage, [an_attempt(("assistant", "echo done"), ("user", "done"))])
    assert made.scores[0].value == 3
    assert "Of 2 paths in the task it never typed 2, /app/in.txt for one (-0.6)." in made.scores[0].note
