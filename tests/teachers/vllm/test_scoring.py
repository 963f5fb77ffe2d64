"""A real vLLM scores answers as the same model does when it is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datafactory.errors import DataError

pytestmark = [pytest.mark.vllm, pytest.mark.train, pytest.mark.slow]


def test_a_served_teacher_says_what_a_loaded_one_says(served: str, small_model: Path) -> None:
    import torch
    from transformers import AutoTokenizer

    from sft.distillation.loaded import LoadedTeacher
    from sft.distillation.samples import Sample
    from sft.distillation.served import ServedTeacher
    from sft.distillation.spec import Teacher
    from sft.training import attention

    attention.register()
    ours = AutoTokenizer.from_pretrained(small_model)
    there = ServedTeacher(Teacher(model=str(small_model), base_url=served), "default")
    here = LoadedTeacher(
        Teacher(model=str(small_model)), "default", device=torch.device("cpu"), known=len(ours), capacity=512
    )
    there.check(ours, 512)
    with pytest.raises(DataError, match="reads 1,024 tokens"):
        there.check(ours, 1024)
    draws = np.random.default_rng(0)
    ids = [draws.integers(3, len(ours), size=size).astype(np.int32) for size in (90, 17, 3)]
    samples = [Sample(each[:-2], each[-2:], "default") for each in ids] + [Sample(ids[0][:40], ids[0][40:], "default")]
    for one, other in zip(there.score(samples), here.score(samples), strict=True):
        assert np.abs(one - other).max() < 0.05, "vLLM computes in bfloat16"
    ours.add_tokens(["<one more>"])
    with pytest.raises(DataError, match=r"share a tokenizer: token ids differ .*'<one more>', not"):
        there.check(ours, 512)
