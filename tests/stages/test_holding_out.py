"""Held-out tasks: which they are depends on their content alone, and nobody attempts them for training."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafactory.cli.funnel import count
from datafactory.holding_out import HoldOut, combination_of
from datafactory.pipeline import Execution, load
from datafactory.stages.rollout import Rollout
from datafactory.stages.synthesize import Synthesize
from datafactory.storage import open_run
from datafactory.types import Check, Draft, Source
from generators.terminal_skills import TerminalSkills

CHECK = Check(name="c", argv=("true",))
LINE = """
name: held
seed: 3
teacher: oracle
stages:
  - use: synthesize
    hold_out: {combinations: 0.5, tasks: 0.5}
    repeats: 1
    generators: [{use: terminal_skills, count: 5, skills_min: 2, skills_max: 2}]
  - {use: rollout, attempts: 1, tasks: TASKS}
"""


def draft(skills: tuple[str, ...] = (), generator: str = "made", **facts: Any) -> Draft:
    return Draft(prompt="do it", checks=(CHECK,), skills=skills, source=Source(generator=generator, facts=facts))


def test_a_combination_has_no_order_and_no_second_generator() -> None:
    assert combination_of(draft(("b", "a"))) == combination_of(draft(("a", "b"), "made.2")) == "made: a + b"
    assert combination_of(draft(("a", "b"), "other")) != combination_of(draft(("a", "b")))
    swe = draft(("x",), "swe_mutations", instance_id="i", repo="toolz", bug_kind="flip")
    assert combination_of(swe) == "swe_mutations: toolz, flip"
    assert combination_of(draft()) == "", "rows of a benchmark have no combination, and are not held out in a lump"


@given(st.floats(0, 0.99), st.floats(0, 0.99), st.sets(st.sampled_from("abcdefgh"), min_size=1), st.text())
def test_a_combination_is_held_out_whole_or_not_at_all(
    combinations: float, tasks: float, skills: set[str], digest: str
) -> None:
    shares = HoldOut(combinations=combinations, tasks=tasks)
    first, second = (shares.kind(draft(tuple(order)), text) for order, text in ((skills, digest), (sorted(skills), "")))
    assert (first == "combination") == (second == "combination")
    more = HoldOut(combinations=min(0.99, combinations + 0.3), tasks=tasks)
    assert first != "combination" or more.kind(draft(tuple(skills)), digest) == "combination"


def test_shares_are_of_combinations_and_of_the_tasks_of_the_others() -> None:
    shares = HoldOut(combinations=0.2, tasks=0.1)
    kinds = Counter(shares.kind(draft((f"s{number}",)), str(number)) for number in range(4000))
    assert kinds["combination"] == pytest.approx(800, abs=80)
    assert kinds["task"] == pytest.approx(320, abs=55)
    assert Counter(shares.kind(draft(), str(number)) for number in range(1000)).keys() == {"", "task"}


def test_stages_that_hold_nothing_out_keep_their_digests() -> None:
    plain = Synthesize(generators=(TerminalSkills(),))
    assert "hold_out" not in plain.describe() and "tasks" not in Rollout().describe()
    assert plain.model_copy(update={"hold_out": HoldOut(tasks=0.1)}).describe()["hold_out"] == {
        "combinations": 0.0,
        "tasks": 0.1,
    }
    assert Rollout(tasks="all").describe()["tasks"] == "all"


@pytest.mark.namespace
async def test_held_out_tasks_pass_by_the_rollout(tmp_path: Path) -> None:
    made = {}
    for tasks in ("training", "held_out"):
        file = tmp_path / "held.yaml"
        file.write_text(LINE.replace("TASKS", tasks))
        execution = Execution(load(file), tmp_path / "runs" / "held")
        await execution.run()
        assert execution.complete
        shelves = [station.shelf for station in execution.stations]
        held = {task.id: task.held_out for task in shelves[0]}
        made[tasks] = {attempt.task_id for attempt in shelves[1]}
        assert shelves[1].manifest and shelves[1].manifest["passed_by"] == len(held) - len(made[tasks])
        assert not shelves[1].dropped and not shelves[1].lost
    assert made["held_out"] == {id for id, kind in held.items() if kind}
    assert made["training"] == held.keys() - made["held_out"]
    assert {"", "combination", "task"} == set(held.values()), "the shares of this test leave some of each"
    counts = count(open_run("held", tmp_path / "runs")).held_out
    assert counts == Counter(kind for kind in held.values() if kind)
