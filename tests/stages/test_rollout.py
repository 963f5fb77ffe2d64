"""Rollouts for a student and by a mix of teachers: what reaches the rows, and what the recipe covers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datafactory.errors import ConfigError
from datafactory.pipeline import Execution, load
from datafactory.table import read_rows
from tests.agent import students

PIPELINE: dict[str, Any] = {
    "name": "fit",
    "seed": 5,
    "teacher": {
        "use": "mix",
        "teachers": ["oracle", {"use": "scripted", "replies": [{"tool_calls": [{"id": "x", "name": "submit"}]}]}],
    },
    "sandbox": "namespace",
    "stages": [
        {"use": "synthesize", "generators": [{"use": "terminal_skills", "count": 3}]},
        {"use": "rollout", "attempts": 4, "agent": "tools"},
        "verify",
        {"use": "select", "filters": ["format"]},
    ],
}


def file(folder: Path, student: dict[str, Any] | None, *filters: Any) -> Path:
    """The pipeline file, for a student."""
    made = json.loads(json.dumps(PIPELINE))
    if student is not None:
        made["stages"][1]["student"] = student
    made["stages"][3]["filters"] = list(filters) or ["format"]
    path = folder / "fit.yaml"
    path.write_text(json.dumps(made))
    return path


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """A student's tokenizer in a folder."""
    students.tokenizer(students.CHATML).save_pretrained(tmp_path / "student")
    return tmp_path / "student"


@pytest.mark.train
@pytest.mark.namespace
async def test_rows_say_who_answered_and_how_long_they_are_to_the_student(tmp_path: Path, tokenizer: Path) -> None:
    length = 5000
    student = {"tokenizer": str(tokenizer), "max_length": length}
    execution = Execution(load(file(tmp_path, student, {"use": "length", "max_tokens": length})), tmp_path / "run")
    await execution.run()
    rows = list(read_rows(execution.stations[-1].shelf.folder / "records.parquet"))
    assert len(rows) == 12
    assert {(row["teacher"], row["model"]) for row in rows} == {("oracle", "oracle"), ("scripted", "scripted")}
    assert {row["stop"] for row in rows} == {"submitted", "student_limit"}
    made = students.tokenizer(students.CHATML)
    for row in rows:
        text = made.apply_chat_template(row["messages"], tools=row["tools"], tokenize=False)
        assert row["student_tokens"] == len(made(text, add_special_tokens=False)["input_ids"]) <= length


@pytest.mark.train
def test_a_changed_tokenizer_makes_a_new_shelf(tmp_path: Path, tokenizer: Path) -> None:
    template = tmp_path / "own.jinja"
    template.write_text(students.CHATML)
    student = {"tokenizer": str(tokenizer), "max_length": 2000, "chat_template": str(template)}
    found = [load(file(tmp_path, None)), load(file(tmp_path, student))]
    found.append(load(file(tmp_path, {**student, "policy": "mark"})))
    template.write_text(students.FORGETFUL)
    found.append(load(file(tmp_path, student)))
    settings = tokenizer / "tokenizer_config.json"
    settings.write_text(settings.read_text() + " ")
    found.append(load(file(tmp_path, student)))
    (tokenizer / "model.safetensors").write_bytes(b"weights")
    assert load(file(tmp_path, student)).stages[1].digest == found[-1].stages[1].digest
    assert len({pipeline.stages[1].digest for pipeline in found}) == len(found)
    assert len({pipeline.stages[0].digest for pipeline in found}) == 1


@pytest.mark.train
@pytest.mark.parametrize(
    ("student", "said"),
    [
        ({"tokenizer": "a/b"}, "stages[1].student.max_length: is required"),
        ({"tokenizer": "a/b", "max_lenght": 5, "max_length": 5}, "unknown key; did you mean 'max_length'?"),
        ({"tokenizer": "a/b", "max_length": 100, "reserve": 100}, "reserve (100) leaves nothing of max_length (100)"),
        ({"tokenizer": "a/b", "max_length": 9, "policy": "cut"}, "must be 'stop', 'compact' or 'mark', not 'cut'"),
        ({"tokenizer": "./nowhere", "max_length": 9}, "no tokenizer in the folder './nowhere'"),
        ({"tokenizer": "a/b", "max_length": 9, "chat_template": "no.jinja"}, "chat_template: no such file: no.jinja"),
    ],
)
def test_mistakes_about_the_student_are_found_before_anything_runs(
    tmp_path: Path, student: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        load(file(tmp_path, student))
    assert len(raised.value.problems) == 1
    assert said in raised.value.problems[0]
