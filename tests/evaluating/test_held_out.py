"""Which tasks students are measured on, of their own run and of others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datafactory.evaluating.held_out import TasksOf, exams
from datafactory.evaluating.overlap import Trained
from datafactory.storage import MANIFEST, RECORDS
from datafactory.storage.layout import write_run
from datafactory.types import Check, HeldOut, Source, Task

TRAINED = Trained(tasks={"a": "do it"}, digests={"d1"}, combinations={"made: x"})


def task(name: str, skill: str, digest: str, held_out: HeldOut = "") -> Task:
    check, source = Check(name="c", argv=("true",)), Source(generator="made.2")
    return Task(id=name, digest=digest, prompt="do", checks=(check,), skills=(skill,), source=source, held_out=held_out)


def finished(folder: Path, *tasks: Task, complete: bool = True) -> str:
    """A run that made tasks."""
    write_run(
        folder, {"name": folder.name, "seed": 0, "pipeline": {}, "stages": [{"use": "synthesize", "folder": "1"}]}
    )
    (folder / "1").mkdir()
    (folder / "1" / RECORDS).write_text("".join(one.model_dump_json() + "\n" for one in tasks))
    if complete:
        (folder / "1" / MANIFEST).write_text(json.dumps({"kept": len(tasks), "rejected": {}}))
    return str(folder)


OWN = [
    task("t1", "x", "d1", "task"),
    task("t2", "x", "d2", "task"),
    task("t3", "y", "d3", "combination"),
    task("t4", "y", "d4"),
]


def test_what_a_task_measures_is_looked_up_in_the_training_rows() -> None:
    found = exams(OWN, (), TRAINED, agent="tools", most=None, seed=0)
    assert [(exam.task.id, exam.part, exam.agent) for exam in found] == [
        ("t1", "trained", "tools"),
        ("t2", "task", "tools"),
        ("t3", "combination", "tools"),
    ]
    nothing_known = exams(OWN, (), Trained(), agent="tools", most=None, seed=0)
    assert [exam.part for exam in nothing_known] == ["task", "task", "combination"], "the marks have the word then"


def test_held_out_tasks_of_a_finished_run_are_taken_or_all_where_none_is(tmp_path: Path) -> None:
    some = TasksOf(at=finished(tmp_path / "some", *OWN))
    none = TasksOf.model_validate({"at": finished(tmp_path / "none", OWN[3], task("t5", "x", "d5")), "agent": "search"})
    assert [exam.task.id for exam in exams(OWN, [some], TRAINED, agent="tools", most=None, seed=0)] == [
        "t1",
        "t2",
        "t3",
    ]
    both = exams((), [some, none], TRAINED, agent="tools", most=None, seed=0)
    assert [(exam.task.id, exam.agent) for exam in both] == [
        ("1:t1", "tools"),
        ("1:t2", "tools"),
        ("1:t3", "tools"),
        ("2:t4", "search"),
        ("2:t5", "search"),
    ]


def test_a_seed_draws_some_of_many(tmp_path: Path) -> None:
    many = [task(f"t{number:03}", "x", str(number), "task") for number in range(100)]
    drawn = [[exam.task.id for exam in exams(many, (), TRAINED, agent="tools", most=9, seed=s)] for s in (1, 1, 2)]
    assert drawn[0] == drawn[1] == sorted(drawn[0]) and len(drawn[0]) == 9
    assert drawn[0] != drawn[2]


def test_a_run_that_is_not_there_or_not_complete_is_said_before_anything_runs(tmp_path: Path) -> None:
    good = TasksOf.model_validate(finished(tmp_path / "good", *OWN))
    assert list(good.problems()) == [] and [path.name for path in good.inputs()] == [MANIFEST]
    begun = TasksOf(at=finished(tmp_path / "begun", *OWN, complete=False))
    assert list(begun.problems()) == [
        f"tasks: no complete stage of {begun.at} made tasks; see: datafactory show {begun.at}"
    ]
    assert "no run 'nowhere'" in next(TasksOf(at="nowhere").problems())


@pytest.mark.parametrize("value", [{"at": "runs/x", "agent": "terminus"}, {"run": "runs/x"}])
def test_a_source_is_read_strictly(value: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"agent|run"):
        TasksOf.model_validate(value)
