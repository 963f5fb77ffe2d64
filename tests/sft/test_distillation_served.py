"""A teacher on a server says what the same teacher says when it is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datafactory.errors import DataError, TeacherError
from sft.distillation.spec import Teacher
from tests.sft.distilling import LARGER, model, recipe, table
from tests.sft.scoring import Scoring

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, a student and a teacher."""
    folder = tmp_path_factory.mktemp("served")
    table(folder / "rows.parquet")
    model(folder / "student")
    model(folder / "teacher", LARGER, seed=2, sure=4)
    return folder


@pytest.fixture
def server(place: Path) -> Iterator[Scoring]:
    """The teacher, served."""
    with Scoring(place / "teacher").up() as served:
        yield served


def teacher(server: Scoring, **more: Any) -> Any:
    from sft.distillation.served import ServedTeacher

    told = {"model": "wise", "base_url": server.address, "tries": 3, "at_once": 2}
    return ServedTeacher(Teacher.model_validate(told | more), "default")


def samples() -> list[Any]:
    from sft.distillation.samples import Sample

    parts = [([5, 6, 7], [8, 9]), ([40], [41, 42, 43]), ([7, 7, 7, 7, 7], [2])]
    return [Sample(np.asarray(one, np.int32), np.asarray(two, np.int32), "default") for one, two in parts]


def test_scores_are_those_of_the_loaded_teacher_also_after_refusals(place: Path, server: Scoring) -> None:
    import torch

    from sft.distillation.loaded import LoadedTeacher
    from sft.training import attention

    attention.register()
    known = len(server.tokenizer)
    here = LoadedTeacher(
        Teacher(model=str(place / "teacher")), "t", device=torch.device("cpu"), known=known, capacity=9
    )
    server.refusals = [503, 429]
    for one, other in zip(teacher(server).score(samples()), here.score(samples()), strict=True):
        assert one.shape == other.shape and np.allclose(one, other, atol=1e-4)
    assert server.scored == 3 and not server.refusals
    server.refusals = [400]
    with pytest.raises(TeacherError, match=r"completions: 400: no room"):
        teacher(server).score(samples()[:1])
    server.refusals = [503] * 3
    with pytest.raises(TeacherError, match=r"completions: 503: no room"):
        teacher(server).score(samples()[:1])


def test_a_student_is_distilled_from_a_server_and_from_a_loaded_teacher_alike(
    place: Path, server: Scoring, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    from sft.distillation.program import distil

    served = {"model": "wise", "base_url": server.address}
    gaps = []
    for name, told in (("served", served), ("loaded", {"model": str(place / "teacher")})):
        (tmp_path / name).mkdir()
        distil(recipe(place / "student", teacher=told, steps=3), place / "rows.parquet", tmp_path / name)
        gaps.append([json.loads(line)["reverse_kl"] for line in (tmp_path / name / "steps.jsonl").open()])
    assert gaps[0] == pytest.approx(gaps[1], rel=1e-3) and server.scored == 3 * 16
    one, other = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("served", "loaded"))
    assert all(one[key].allclose(other[key], atol=1e-3) for key in other)


def test_a_server_that_cannot_teach_is_refused_before_anything_is_sampled(
    place: Path, server: Scoring, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    ours = AutoTokenizer.from_pretrained(place / "student")
    teacher(server).check(ours, 128)
    with pytest.raises(DataError, match=r"reads 256 tokens, and 301 may come: serve it with a greater --max-model-len"):
        teacher(server).check(ours, 300)
    with pytest.raises(DataError, match=r"has no model 'other'; it has 'wise'"):
        teacher(server, model="other").check(ours, 128)
    model(tmp_path / "foreign", talk=3)
    server.tokenizer = AutoTokenizer.from_pretrained(tmp_path / "foreign")
    with pytest.raises(DataError, match=r"share a tokenizer: token ids differ .*: 2\d\d is '.+', not "):
        teacher(server).check(ours, 128)
    with pytest.raises(TeacherError, match="Cannot connect"):
        teacher(server, base_url="http://127.0.0.1:9/v1", tries=1).check(ours, 128)
