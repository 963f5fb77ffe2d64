"""Answers as a model reads them: packed end to end, each after its history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sft.packing import packed
from sft.training.batches import IGNORED, collate


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer to one history."""

    history: np.ndarray[Any, Any]
    """Token ids, shape (length,), at least one."""
    answer: np.ndarray[Any, Any]
    """Token ids, shape (tokens,), at least one."""
    teacher: str
    """The name of the one who scores it."""
    drawn: np.ndarray[Any, Any] | None = None
    """Log-probability (nats) that each token was sampled with, shape (tokens,); None: the row's own answer."""
    ended: bool = True
    """Whether it came to its end-of-turn token."""

    def __len__(self) -> int:
        return len(self.history) + len(self.answer)


class Pass:
    """What goes through a model at a time, and the tokens of answers in it, in the order of `samples`."""

    def __init__(self, samples: Sequence[Sample], device: torch.device) -> None:
        self.samples = samples
        flat = collate([_as_pack(sample) for sample in samples])
        labels = flat.pop("labels")[0, 1:]
        self.device = device
        self.at = labels.ne(IGNORED).nonzero()[:, 0].to(device)
        """The places whose logits are of a token of an answer, shape (tokens,)."""
        self.tokens = labels[labels.ne(IGNORED)].to(device)
        """Those tokens, shape (tokens,)."""
        self._inputs = {key: value.to(device) if torch.is_tensor(value) else value for key, value in flat.items()}

    def logits(self, model: Any, known: int) -> torch.Tensor:
        """Of the answers' tokens, float32, shape (tokens, known): those of ids that no token has are left out."""
        made: torch.Tensor = model(**self._inputs, use_cache=False, logits_to_keep=self.at).logits[0]
        return made[:, :known].float()

    def spread(self, values: Sequence[np.ndarray[Any, Any]]) -> torch.Tensor:
        """One array a sample, a number a token, as one tensor of shape (tokens,)."""
        return torch.from_numpy(np.concatenate(values).astype(np.float32)).to(self.device)


def _as_pack(sample: Sample) -> dict[str, Any]:
    ids = np.concatenate([sample.history, sample.answer])
    labels = ids.copy()
    labels[: len(sample.history)] = IGNORED
    return {"input_ids": ids, "labels": labels, "lengths": np.asarray([len(ids)])}


def in_passes(samples: Sequence[Sample], capacity: int) -> Iterator[list[int]]:
    """Numbers of the samples of each pass, so that none has more than `capacity` tokens."""
    yield from packed([len(sample) for sample in samples], capacity)


def chosen(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Log-probability (nats) of each token under its logits: (tokens, known) and (tokens,) to (tokens,)."""
    return logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(1)
