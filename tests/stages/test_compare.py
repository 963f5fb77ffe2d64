"""The stage `compare`: attempts at one task held against each other, in both orders, each pair paid for once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from datafactory.calls import Account, Ledger
from datafactory.registry import build
from datafactory.run import Run
from datafactory.stages.compare import Compare
from datafactory.storage import Shelf
from datafactory.types import Task, Trajectory
from tests.judging.attempts import a_task, an_attempt

GOOD = (("assistant", "wc -l < /app/in.txt > /app/out.txt; cat /app/out.txt"), ("user", "7"))
BAD = (("assistant", "echo done"), ("user", "bash: ecko: command not found"))
FAIR = (("assistant", "grep -c '' /app/in.txt > /app/out.txt"), ("user", ""))


def a_stage(**keys: Any) -> Compare:
    problems: list[Any] = []
    made = build("stage", {"use": "compare", **keys}, (), problems)
    assert isinstance(made, Compare), problems
    return made


async def compared(
    folder: Path, stage: Compare, attempts: list[Trajectory], account: Account | None = None
) -> list[Trajectory]:
    """Run the stage on a shelf of attempts; gives its own shelf's records, in their order."""
    async with Shelf(folder / "tasks", Task) as tasks, Shelf(folder / "before", Trajectory) as before:
        for task_id in sorted({attempt.task_id for attempt in attempts}):
            await tasks.keep(task_id, a_task(task_id))
        for attempt in attempts:
            await before.keep(attempt.id, attempt)
        before.ended.set()
        async with Shelf(folder / "compared", Trajectory) as shelf:
            await stage.run(before, Run(shelf, name="r", seed=7, shelves=[tasks, before], account=account))
            return sorted(shelf, key=lambda row: row.id)


async def test_the_better_attempt_has_the_better_score(tmp_path: Path) -> None:
    attempts = [an_attempt(*said, attempt=number) for number, said in enumerate((BAD, GOOD, FAIR))]
    made = await compared(tmp_path, a_stage(judges=["judge_rules"]), attempts)
    assert [attempt.scores[0].value for attempt in made] == [-1.0, 1.0, 0.5]
    assert {attempt.scores[0].name for attempt in made} == {"better"}
    assert "4 of 4 games against 2 attempts can be read" in made[0].scores[0].note
    assert "kept its word in 2 of 2 pairs" in made[0].scores[0].note
    assert [attempt.but(scores=()) for attempt in made] == attempts


async def test_an_attempt_that_is_alone_at_its_task_has_no_number(tmp_path: Path) -> None:
    [made] = await compared(tmp_path, a_stage(judges=["judge_rules", "judge_rules"]), [an_attempt(*GOOD)])
    assert [(score.judge, score.value) for score in made.scores] == [
        ("judge_rules", None),
        ("judge_rules.2", None),
        ("combined", None),
    ]


async def test_each_pair_is_asked_twice_and_paid_for_once(tmp_path: Path) -> None:
    """Four attempts at two tasks each: six pairs a task, in both orders. A second run asks nobody."""
    attempts = [an_attempt(*GOOD, id=f"t-{task}", attempt=number) for task in range(2) for number in range(4)]
    script = tmp_path / "answers.jsonl"
    script.write_text(json.dumps({"replies": [json.dumps({"reasoning": "", "verdict": "A=B"})] * 24}))
    stage = a_stage(judges=[{"use": "tests.stages.odd_judges:Dear", "path": str(script)}])
    assert stage.calls(8) == "at most 32 calls of judges"
    found = []
    for number in range(2):
        async with Ledger(tmp_path / "calls.sqlite") as ledger:
            account = Account(ledger)
            made = await compared(tmp_path / str(number), stage, attempts, account)
            assert {attempt.scores[0].value for attempt in made} == {0.0}
            found.append((account.spent.calls, account.found))
        script.write_text(json.dumps({"replies": ["nobody should ask"]}))
    assert found == [(24, 0), (24, 24)]


def test_a_rubric_of_the_other_stage_is_a_problem() -> None:
    [said] = a_stage(judges=["judge_rules"], rubric="success").problems()
    assert "is one of the stage judge" in said
    assert list(a_stage(judges=["judge_rules"]).problems()) == []
