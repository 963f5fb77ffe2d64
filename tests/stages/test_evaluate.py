"""Evaluate: two students attempt what nobody learned from, and what is said of them is exact."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from datafactory.errors import ConfigError
from datafactory.evaluating.report import FILE, Evaluation, Standing
from datafactory.pipeline import Execution, load
from datafactory.storage import Shelf
from datafactory.types import Trial

STUDENT = "tests.stages.odd_students:Student"
PIPELINE: dict[str, Any] = {
    "name": "exam",
    "seed": 3,
    "teacher": "oracle",
    "stages": [
        {
            "use": "synthesize",
            "generators": [{"use": "terminal_skills", "count": 5, "skills_min": 2, "skills_max": 2}],
            "hold_out": {"combinations": 0.5, "tasks": 0.5},
            "repeats": 1,
        },
        {"use": "rollout", "attempts": 1, "agent": "tools"},
        "verify",
        {"use": "select", "filters": ["solved"]},
        {"use": "arrange", "curriculum": "mixed"},
        {"use": "train", "trainer": {"use": "tests.stages.odd_students:Untrained"}},
        {
            "use": "evaluate",
            "base": {"use": STUDENT, "right": False},
            "trained": {"use": STUDENT, "right": True},
            "attempts": 2,
            "agent": "tools",
        },
    ],
}


def file(folder: Path, **more: Any) -> Path:
    """The pipeline file, with other keys of its last stage; None takes one away."""
    made = json.loads(json.dumps(PIPELINE))
    made["stages"][-1] = {key: value for key, value in (made["stages"][-1] | more).items() if value is not None}
    path = folder / "exam.yaml"
    path.write_text(json.dumps(made))
    return path


def sums(folder: Path, count: int) -> dict[str, Any]:
    """A file of questions, as a key of the stage."""
    path = folder / "sums.jsonl"
    rows = [{"question": f"What is {n} + 1?", "answer": f"Count on.\n#### {n + 1}"} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"file": str(path), "count": count - 1}


def standing(told: Evaluation, by: str, pupil: str) -> Standing:
    found = told.group(by)
    assert found is not None
    made: Standing | None = getattr(found, pupil)
    assert made is not None
    return made


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> tuple[Execution, Execution, list[str]]:
    """A run whose trained student was down at first, the same run once it was back, and who was asked what."""
    folder = tmp_path_factory.mktemp("exam")
    log, down = folder / "log", folder / "down"
    down.touch()
    keys = {
        "base": {"use": STUDENT, "right": False, "log": str(log)},
        "trained": {"use": STUDENT, "right": True, "log": str(log), "down": str(down)},
    }
    path = file(folder, prompts=sums(folder, 6), **keys)
    short = Execution(load(path), folder / "runs" / "exam")
    asyncio.run(short.run())
    down.unlink()
    whole = Execution(load(path), folder / "runs" / "exam")
    asyncio.run(whole.run())
    return short, whole, log.read_text().splitlines()


@pytest.mark.namespace
def test_students_attempt_what_nobody_learned_from(exam: tuple[Execution, Execution, list[str]]) -> None:
    _, whole, _ = exam
    held_out = {task.id for task in whole.stations[0].shelf if task.held_out}
    trained_on = {attempt.task_id for attempt in whole.stations[1].shelf}
    shelf: Shelf[Trial] = whole.stations[-1].shelf
    trials = [trial for trial in shelf if trial.part != "prompts"]
    assert {trial.attempt.task_id for trial in trials} == held_out and held_out.isdisjoint(trained_on)
    assert len(trials) == 4 * 2 * 2
    for trial in trials:
        assert trial.attempt.verdict and trial.attempt.verdict.solved == (trial.student == "trained")
        assert trial.attempt.teacher == {"base": "wrong", "trained": "right"}[trial.student]
        assert trial.attempt.lineage.model in ("student", "oracle"), "who stands in keeps its name"
        assert not trial.attempt.artifacts, "they stay behind, as those of attempts that were verified do"
    assert len({(trial.attempt.id, trial.attempt.lineage.seed) for trial in trials}) == 8, "both have the same seeds"


@pytest.mark.namespace
def test_what_is_said_of_them_is_exact(exam: tuple[Execution, Execution, list[str]]) -> None:
    told = Evaluation.model_validate_json((exam[1].stations[-1].shelf.folder / FILE).read_bytes())
    assert (told.complete, told.attempts, told.lost) == (True, 2, 0)
    base, trained, found = standing(told, "all", "base"), standing(told, "all", "trained"), told.group("all")
    assert base.pass_at == {1: (0.0, 0.0, 0.489891), 2: (0.0, 0.0, 0.489891)}, "Wilson's interval of 0 of 4"
    assert trained.pass_at[1] == (1.0, 0.510109, 1.0) and (trained.solved, trained.trials) == (8, 8)
    assert found and found.difference and found.difference.pass_at[1].value == 1.0
    assert (found.difference.gained, found.difference.lost, found.difference.p) == (4, 0, 0.125)
    assert base.stops == {"submitted": 8} and base.turns == (1.0, 1.0, 1.0) and base.tokens == (7.0, 7.0, 7.0)
    sums_of = {pupil: standing(told, "prompts", pupil) for pupil in ("base", "trained")}
    assert [(made.tasks, made.solved) for made in sums_of.values()] == [(5, 0), (5, 5)]
    assert [made.valid.value for made in sums_of.values() if made.valid] == [0.0, 1.0]
    assert told.overlap and sum(told.overlap.tasks.values()) == 4 and told.overlap.trained_tasks == 1
    assert told.overlap.combinations_in_common.get("combination", 0) == 0


@pytest.mark.namespace
def test_a_student_that_was_down_is_asked_again_and_nobody_else(
    exam: tuple[Execution, Execution, list[str]],
) -> None:
    short, whole, asked = exam
    assert short.stations[-1].state == "short" and whole.complete
    assert short.stations[-1].shelf.kept == 8 + 5 + 5, "what nobody answered is lost, and counts for nothing"
    assert max(Counter(asked).values()) == 1 and len(asked) == 2 * (8 + 5)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"base": None}, "needs a `server` for its students"),
        ({"base": None, "server": "oracle"}, "server: oracle cannot be given a student: it has no `model`"),
        (
            {"server": {"use": "vllm", "model": "student", "base_url": "http://localhost:1"}},
            "server: vllm asks servers that run already (base_url, or the environment), which cannot load a student",
        ),
        ({"server": {"use": "openai", "model": "student"}}, "server: openai asks servers that run already"),
        ({"tasks": ["nowhere"]}, "tasks: no run 'nowhere'"),
        ({"prompts": {"file": "nowhere.jsonl"}}, "prompts: nowhere.jsonl: cannot be read"),
    ],
)
def test_mistakes_are_found_before_anything_runs(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(file(tmp_path, **more))
    assert said in str(raised.value) and len(raised.value.problems) == 1


def test_a_line_that_holds_nothing_out_is_refused_before_anything_runs(tmp_path: Path) -> None:
    made = json.loads(file(tmp_path).read_text())
    del made["stages"][0]["hold_out"]
    path = tmp_path / "none.yaml"
    path.write_text(json.dumps(made))
    with pytest.raises(ConfigError, match=r"stages\[6\]: evaluate has no tasks: give `synthesize` a `hold_out`"):
        load(path)


def answers(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    said = [{"tool_calls": [{"id": "c", "name": name, "arguments": given}]} for name, given in calls]
    return {"use": "scripted", "replies": said}


async def test_questions_open_no_box_and_tasks_that_were_trained_on_are_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("DATAFACTORY_SEARCH_URL", raising=False)
    pages = tmp_path / "pages.jsonl"
    pages.write_text(json.dumps({"url": "ada", "title": "Ada", "contents": "Ada Lovelace wrote the notes."}))
    corpus = {"use": "jsonl", "files": [str(pages)], "name": "few"}
    asking = {"use": "tests.stages.odd_questions:Asking", "count": 1, "corpus": corpus}
    knows = answers(("visit", {"url": ["ada"]}), ("answer", {"answer": "Ada Lovelace"}))
    made = {
        "name": "asked",
        "sandbox": {"use": "tests.stages.odd_questions:Locked"},
        "teacher": knows,
        "stages": [
            {"use": "synthesize", "generators": [asking], "hold_out": {"tasks": 0.999}},
            {"use": "rollout", "agent": "search", "attempts": 1, "tasks": "all"},
            "verify",
            {"use": "arrange", "curriculum": "mixed"},
            {"use": "train", "trainer": {"use": "tests.stages.odd_students:Untrained", "base": "some/model"}},
            {
                "use": "evaluate",
                "agent": "search",
                "base": answers(("answer", {"answer": "nobody"})),
                "trained": knows,
                "attempts": 1,
            },
        ],
    }
    path = tmp_path / "asked.yaml"
    path.write_text(json.dumps(made))
    execution = Execution(load(path), tmp_path / "run")
    await execution.run()
    trials = sorted(execution.stations[-1].shelf, key=lambda trial: trial.id)
    assert [(trial.student, trial.part, trial.attempt.answer) for trial in trials] == [
        ("base", "trained", "nobody"),
        ("trained", "trained", "Ada Lovelace"),
    ]
    told = Evaluation.model_validate_json((execution.stations[-1].shelf.folder / FILE).read_bytes())
    assert told.base == "some/model" and standing(told, "part", "trained").solved == 1 and told.group("all") is None
    assert told.overlap and (told.overlap.tasks, told.overlap.same_prompts) == ({"trained": 1}, 1)
