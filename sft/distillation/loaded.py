"""A teacher that is loaded beside the student."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from sft.distillation.samples import Pass, Sample, chosen, in_passes
from sft.distillation.spec import Teacher
from sft.distillation.vocabulary import same_tokens
from sft.training import attention


class LoadedTeacher:
    """Scores answers by itself, and gives its whole distributions."""

    def __init__(self, spec: Teacher, name: str, *, device: torch.device, known: int, capacity: int) -> None:
        """`known`: ids from there on are no tokens; `capacity`: tokens of a pass."""
        self._spec, self._name, self._known, self._capacity = spec, name, known, capacity
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            spec.model,
            revision=spec.revision or "main",
            attn_implementation=attention.NAME,
            dtype=torch.bfloat16 if device.type == "cuda" else torch.float32,
        )
        self._model = loaded.to(device).eval()

    def check(self, tokenizer: Any, longest: int) -> None:
        """Raises DataError where its tokens are not the student's."""
        own = AutoTokenizer.from_pretrained(self._spec.model, revision=self._spec.revision or "main")
        same_tokens(tokenizer, own, self._name)

    @torch.no_grad()
    def logits(self, batch: Pass) -> torch.Tensor:
        """Of the answers' tokens, float32, shape (tokens, known)."""
        return batch.logits(self._model, self._known)

    @torch.no_grad()
    def score(self, samples: Sequence[Sample]) -> list[np.ndarray[Any, Any]]:
        """Log-probability (nats) of each token of each answer."""
        made: dict[int, np.ndarray[Any, Any]] = {}
        for numbers in in_passes(samples, self._capacity):
            batch = Pass([samples[number] for number in numbers], self._model.device)
            scores = chosen(self.logits(batch), batch.tokens).cpu().numpy()
            ends = np.cumsum([len(sample.answer) for sample in batch.samples])[:-1]
            made.update(zip(numbers, np.split(scores, ends), strict=True))
        return [made[number] for number in range(len(samples))]
