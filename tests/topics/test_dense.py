"""The embedder `dense`: a small model of one's own, and what of it counts in the recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datafactory.registry import build
from datafactory.stages.recipe import recipe_digest
from datafactory.topics.dense import DenseEmbedder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of one small layer with the weights it was born with."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("model")
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = BertConfig(vocab_size=len(words), max_position_embeddings=64, **sizes)
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab={word: at for at, word in enumerate(words)}).save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.train
def test_prompts_become_vectors_of_length_1_and_a_prefix_counts(model: Path) -> None:
    texts = ["count the lines", "bake a cake", ""]
    plain = DenseEmbedder(model=str(model), device="cpu", max_tokens=32).fit([], seed=1)(texts)
    assert plain.shape == (3, 16)
    assert plain.dtype == np.float32
    assert np.linalg.norm(plain, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    led = DenseEmbedder(model=str(model), device="cpu", max_tokens=32, prefix="query ").fit([], seed=1)(texts)
    assert not np.allclose(plain, led)


def test_another_model_in_the_same_folder_makes_another_recipe(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("1")
    problems: list[Any] = []
    stage = build("stage", {"use": "cluster", "embedder": {"use": "dense", "model": str(tmp_path)}}, (), problems)
    assert stage is not None, problems
    before = recipe_digest(stage)
    (tmp_path / "weights").write_text("2")
    assert recipe_digest(stage) != before
