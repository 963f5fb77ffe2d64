"""A distillation lowers what it should, asks the right teacher, and goes on where it was killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from datafactory.errors import DataError
from sft.gkd import Gkd
from sft.on_policy import OnPolicy
from sft.starting import whole_recipe
from tests.sft.distilling import LARGER, model, recipe, table

pytestmark = [pytest.mark.train, pytest.mark.slow]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, a student, a teacher that is surer of the same, and another."""
    folder = tmp_path_factory.mktemp("distillation")
    table(folder / "rows.parquet")
    model(folder / "student")
    model(folder / "teacher", sure=8)
    model(folder / "other", LARGER, seed=3, sure=8)
    return folder


def distilled(spec: Any, place: Path, out: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What came of it, and its journal."""
    from sft.distillation.program import distil

    out.mkdir(exist_ok=True)
    distil(spec, place / "rows.parquet", out)
    lines = [json.loads(line) for line in (out / "steps.jsonl").read_text().splitlines()]
    return json.loads((out / "result.json").read_text()), lines


def test_on_policy_draws_the_student_to_its_teacher(place: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    many = {"batch": 24, "samples": 8, "max_tokens": 6, "steps": 14, "learning_rate": 1.5e-2}
    spec = recipe(place / "student", teacher={"model": str(place / "teacher")}, **many)
    facts, lines = distilled(spec, place, tmp_path / "out")
    gaps = [line["reverse_kl"] for line in lines]
    assert sum(gaps[-3:]) < 0.75 * sum(gaps[:3])
    assert (facts["first_reverse_kl"], facts["last_reverse_kl"]) == (gaps[0], gaps[-1])
    assert [line["step"] for line in lines] == list(range(1, 15))
    assert all(line["answers"] == 192 and line["clipped"] == 0 and line["tokens_per_second"] > 0 for line in lines)
    assert all(line["loss"] == line["loss"] and line["answer_tokens"] <= 192 * 6 for line in lines)
    assert facts["answers"] == {"default": 40}, "each third of 30 rows has a second answer"
    made = AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "model")
    assert made.config.vocab_size == len(AutoTokenizer.from_pretrained(tmp_path / "out" / "model"))


def test_each_row_is_scored_by_the_teacher_of_its_domain(place: Path, tmp_path: Path) -> None:
    teachers = {"search": {"model": str(place / "other")}}
    both = recipe(place / "student", teacher={"model": str(place / "teacher")}, teachers=teachers, batch=30, steps=1)
    facts, lines = distilled(both, place, tmp_path / "both")
    assert facts["answers"] == {"default": 20, "search": 20}
    gaps = {name: told["reverse_kl"] for name, told in lines[0]["teachers"].items()}
    for name, folder in (("search", "other"), ("default", "teacher")):
        alone = recipe(place / "student", teacher={"model": str(place / folder)}, teachers={}, batch=30, steps=1)
        _, one = distilled(alone.model_copy(update={"teachers": {"search": alone.teacher}}), place, tmp_path / name)
        assert gaps[name] == pytest.approx(one[0]["teachers"][name]["reverse_kl"], rel=1e-5)
    assert gaps["search"] != pytest.approx(lines[0]["reverse_kl"], rel=1e-3)


def test_a_teacher_without_rows_and_a_row_without_teacher_are_refused(place: Path, tmp_path: Path) -> None:
    told = {"model": str(place / "teacher")}
    with pytest.raises(DataError, match=r"no row has 'serach' as its domain; there are 'terminal' \(15\), 'search'"):
        distilled(recipe(place / "student", teacher=told, teachers={"serach": told}), place, tmp_path / "idle")
    with pytest.raises(DataError, match="none for rows whose domain is 'terminal'; name one, or `teacher`"):
        distilled(recipe(place / "student", teachers={"search": told}), place, tmp_path / "without")
    with pytest.raises(DataError, match=r"has no column 'kind'; it has .*domain"):
        distilled(recipe(place / "student", teachers={"a": told}, teacher_by="kind"), place, tmp_path / "column")


def test_a_teacher_with_other_tokens_is_refused_and_the_ids_that_differ_are_named(place: Path, tmp_path: Path) -> None:
    model(tmp_path / "foreign", talk=3)
    spec = recipe(place / "student", teacher={"model": str(tmp_path / "foreign")})
    with pytest.raises(DataError, match=r"must share a tokenizer: \d+ token ids differ .*: 2\d\d is '.+', not '?.+'?"):
        distilled(spec, place, tmp_path / "out")


@pytest.mark.parametrize(("share", "beta"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_gkd_draws_the_student_to_the_whole_distribution(
    place: Path, tmp_path: Path, share: float, beta: float
) -> None:
    told = recipe(place / "student", teacher={"model": str(place / "teacher")}).model_dump(
        exclude={"samples", "least_weight", "most_weight"}
    )
    spec = Gkd(**told | {"steps": 12, "learning_rate": 1e-2, "on_policy": share, "beta": beta, "processes": 1})
    facts, lines = distilled(spec, place, tmp_path / "out")
    assert lines[-1]["loss"] < 0.7 * lines[0]["loss"] and facts["last_reverse_kl"] < 0.7 * facts["first_reverse_kl"]
    shares = [line["on_policy"] for line in lines]
    assert set(shares) == {share} if share in (0, 1) else 0.3 < sum(shares) / len(shares) < 0.7
    assert (lines[0]["sampling_seconds"] > 0.001) == (share > 0)


async def test_a_distillation_that_was_killed_makes_the_same_student(place: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    spec = recipe(place / "student", teacher={"model": str(place / "teacher")}, steps=60, temperature=1.5)
    distilled(spec, place, tmp_path / "uncut")
    folder = tmp_path / "killed"
    code = "import asyncio, sys; from pathlib import Path; from sft.on_policy import OnPolicy; "
    code += "spec, *paths = sys.argv[1:]; asyncio.run(OnPolicy.model_validate_json(spec).train(*map(Path, paths)))"
    command = [sys.executable, "-c", code, json.dumps(whole_recipe(spec)), str(place / "rows.parquet"), str(folder)]
    program = subprocess.Popen(command, start_new_session=True)
    while not list(folder.glob("checkpoints/step-*")):
        assert program.poll() is None, "it ended before it was killed"
        await asyncio.sleep(0.02)
    os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    assert not (folder / "result.json").exists()
    made = await spec.train(place / "rows.parquet", folder)
    assert made.facts["steps"] == 60 and made.folder == "model" and made.base == str(place / "student")
    one, other = (load_file(path / "model" / "model.safetensors") for path in (folder, tmp_path / "uncut"))
    assert all(one[name].equal(other[name]) for name in other)
    assert [json.loads(line)["step"] for line in (folder / "steps.jsonl").open()] == list(range(1, 61))


def test_the_program_ends_with_what_is_wrong_and_no_traceback(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sft.distillation.program import main

    spec = recipe(place / "student", teacher={"model": str(place / "teacher")}, teachers={"x": {"model": "y"}})
    job = {"table": str(place / "rows.parquet"), "spec": whole_recipe(spec)}
    (tmp_path / "job.json").write_text(json.dumps(job))
    monkeypatch.setattr(sys, "argv", ["program", "on_policy", str(tmp_path / "job.json")])
    with pytest.raises(SystemExit, match=r"^DataError: teachers: no row has 'x' as its domain"):
        main()


def test_what_cannot_be_meant_is_refused() -> None:
    told = {"student": "s", "teacher": {"model": "t"}}
    for wrong, said in (
        ({"teacher": None}, "name a teacher"),
        ({"teachers": {"default": {"model": "t"}}}, "is no value of rows"),
        ({"tokens_at_once": 16}, "less than max_length"),
        ({"least_weight": 2}, "must be below most_weight"),
        ({"teacher": {"model": "t", "base_url": "localhost:8000"}}, "must start with http"),
    ):
        with pytest.raises(ValueError, match=said):
            OnPolicy.model_validate(told | wrong)
    served = Gkd.model_validate({"student": "s", "teacher": {"model": "t", "base_url": "http://localhost:8000/v1"}})
    assert any("whole distributions: use on_policy" in problem for problem in served.problems())
