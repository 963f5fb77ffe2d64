"""`datafactory scores` prints what an evaluation came to, also one that is not through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from datafactory.calls import Spending, Spent
from datafactory.calls.spending import Part
from datafactory.cli import app
from datafactory.cli.costs import Costs
from datafactory.evaluating.overlap import overlap, trained_on
from datafactory.evaluating.report import FILE, evaluation, result
from datafactory.storage import MANIFEST, RECORDS
from datafactory.storage.layout import write_run
from datafactory.table import COLUMNS, RANK, row, write_parquet
from datafactory.types import Check, HeldOut, Message, Model, Pupil, Source, Task, Trajectory, Trial, Usage, Verdict

MODEL = Model(id="toy-1", folder="model", base="base", trainer={"use": "trl"})
PLAIN = "Sort the lines of the file names.txt by their second word and write them to the file sorted.txt with a header"


def task(name: str, *skills: str, held_out: HeldOut = "", prompt: str = PLAIN) -> Task:
    check = Check(name="c", argv=("true",))
    source = Source(generator="made")
    return Task(id=name, digest=name, prompt=prompt, checks=(check,), skills=skills, source=source, held_out=held_out)


def attempt(of: Task, number: int, reward: float) -> Trajectory:
    said = (Message(role="user", content=of.prompt), Message(role="assistant", content="{}"))
    return Trajectory(
        task_id=of.id,
        attempt=number,
        teacher="t",
        agent="tools",
        domain="debugging" if of.id < "t2" else "security",
        generator="made",
        messages=said,
        stop="submitted",
        verdict=Verdict(reward=reward),
        usage=Usage(completion_tokens=5),
    )


TASKS = [task(f"t{n}", f"s{n % 3}", "x", held_out="task", prompt=f"{PLAIN} {n}") for n in range(4)]


def trials() -> list[Trial]:
    students: tuple[Pupil, Pupil] = ("base", "trained")
    return [
        Trial(student=pupil, part="task", attempt=attempt(of, number, float(pupil == "trained" and of.id != "t3")))
        for pupil in students
        for of in TASKS
        for number in range(2)
    ]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run that was stopped in the middle of its last stage."""
    folder = tmp_path / "runs" / "toy"
    stages = [{"use": "train", "folder": "1-train"}, {"use": "evaluate", "folder": "2-evaluate"}]
    write_run(
        folder,
        {
            "name": "toy",
            "seed": 0,
            "pipeline": {"stages": [{"use": "train"}, {"use": "evaluate", "attempts": 2}]},
            "stages": stages,
        },
    )
    for stage in stages:
        (folder / stage["folder"]).mkdir()
    (folder / "1-train" / RECORDS).write_text(MODEL.model_dump_json() + "\n")
    rows = "".join(trial.model_dump_json() + "\n" for trial in trials())
    (folder / "2-evaluate" / RECORDS).write_text(rows)
    return folder


def said(run: Path, *more: str) -> str:
    result = CliRunner().invoke(app, ["scores", str(run), *more], catch_exceptions=False, env={"COLUMNS": "120"})
    assert result.exit_code == 0
    return result.stdout


def test_trials_are_counted_before_the_stage_is_through(run: Path) -> None:
    told = json.loads(said(run, "--json"))
    assert told["model"] == "toy-1" and told["base"] == "toy-1, untrained"
    assert (told["complete"], told["overlap"]) == (False, None)
    everything = told["groups"][0]
    assert everything["trained"]["pass_at"]["1"][0] == 0.75 and everything["base"]["pass_at"]["2"][0] == 0
    assert (everything["difference"]["gained"], everything["difference"]["p"]) == (3, 0.25)
    text = said(run)
    assert "4 held-out tasks, 2 attempts at each so far: the stage is not through" in text
    assert "+75.0" in text and "seen combinations" in text and "debugging" in text


def test_what_was_written_at_the_end_is_what_is_told(run: Path, tmp_path: Path) -> None:
    learned = [task("a", "s0", "x"), task("b", "s1", "y", prompt=f"{PLAIN} 2")]
    table = tmp_path / "rows.parquet"
    rows = [{**row(attempt(of, 0, 1.0), of), "rank": rank} for rank, of in enumerate(learned)]
    write_parquet(rows, table, (*COLUMNS, RANK), key=None)
    trained = trained_on(table)
    parts = [trained.part(of) for of in TASKS]
    assert parts == ["task", "combination", "combination", "task"], "s0 and x were learned together"
    assert trained.part(learned[0]) == "trained"
    shared = overlap(trained, zip(TASKS, parts, strict=True))
    assert (shared.same_prompts, shared.shared_words, shared.trained_combinations) == (1, 4, 2)
    assert shared.combinations_in_common == {"task": 1, "combination": 0}
    # 23 of the 24 words of a prompt stand in each trained one: 11 of its 12 runs of 13; one prompt is there whole.
    assert shared.shared_share == pytest.approx((11 * 3 + 12) / 48)
    found = evaluation(map(result, trials()), MODEL, run="toy", attempts=2, lost=0, shared=shared)
    stage = run / "2-evaluate"
    (stage / FILE).write_text(found.model_dump_json())
    (stage / MANIFEST).write_text(json.dumps({"kept": 16, "rejected": {}}))
    (stage / RECORDS).unlink()
    assert json.loads(said(run, "--json"))["overlap"]["shared_words"] == 4
    assert "1 of 4 prompts stand in the training rows word for word" in said(run)


def test_a_trial_can_be_shown_by_its_student(run: Path) -> None:
    result = CliRunner().invoke(app, ["show", str(run), "trained/t1/1", "--json"], catch_exceptions=False)
    assert json.loads(result.stdout)["record"]["verdict"]["reward"] == 1.0
    funnel = CliRunner().invoke(app, ["show", str(run), "--json"], catch_exceptions=False)
    assert json.loads(funnel.stdout)["stages"][1]["records"] == 16
    drawn = CliRunner().invoke(app, ["show", str(run)], catch_exceptions=False, env={"COLUMNS": "120"})
    assert "pass@1 on held-out tasks: base 0.0 [0, 49] %, trained 75.0 [25, 100] %" in drawn.stdout


def test_what_measuring_costs_is_no_cost_of_rows() -> None:
    answered = Spent(calls=2, completion_tokens=10)
    parts = (
        Part("rollout", "vllm", "big", answered),
        Part("evaluate", "vllm", "/runs/toy/model", Spent(calls=5, completion_tokens=99)),
        Part("", "vllm", "", Spent(gpu_seconds=7.0)),
    )
    costs = Costs(Spending(parts), accepted=2, kept=True, tried=4)
    assert costs.on_rows == answered + Spent(gpu_seconds=7.0)
    assert {who: spent.calls for who, spent in costs.by().items()} == {("students", "vllm"): 5, ("vllm", "big"): 2}
    told = costs.as_json()
    assert told and told["per_accepted"]["calls"] == 1 and told["calls"] == 7


def test_a_run_without_an_evaluation_says_so(run: Path) -> None:
    from datafactory.errors import DataError

    (run / "2-evaluate" / RECORDS).unlink()
    with pytest.raises(DataError, match="nothing was evaluated yet"):
        said(run)
