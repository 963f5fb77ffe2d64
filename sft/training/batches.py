"""Packs as a dataset that torch reads: one pack an item, its rows end to end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from sft.data import Tokens

IGNORED = -100
"""The label of a token that carries no loss, as everywhere in torch."""


class Packs(Dataset[dict[str, Any]]):
    """The packs of one training, in their order."""

    def __init__(self, tokens: Tokens, packs: Sequence[Sequence[int]]) -> None:
        self._ids, self._trained, ends = tokens.arrays()
        self._bounds = np.concatenate([[0], ends])
        self._packs = packs

    def __len__(self) -> int:
        return len(self._packs)

    @property
    def mean_length(self) -> float:
        """Tokens of a pack."""
        rows = sum(len(pack) for pack in self._packs)
        return float(self._bounds[-1]) * (rows / max(1, len(self._bounds) - 1)) / max(1, len(self._packs))

    def __getitem__(self, number: int) -> dict[str, Any]:
        """`input_ids`, `labels` (those of the token that comes next are `labels[i + 1]`), and where rows end."""
        spans = [slice(self._bounds[row], self._bounds[row + 1]) for row in self._packs[number]]
        ids = np.concatenate([self._ids[span] for span in spans])
        labels = np.where(np.concatenate([_taught(self._trained[span]) for span in spans]), ids, IGNORED)
        lengths = np.asarray([span.stop - span.start for span in spans])
        return {"input_ids": ids, "labels": labels, "lengths": lengths}


def _taught(trained: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The first token of a row follows nothing: it cannot be learned."""
    made = np.array(trained)
    made[:1] = False
    return made


def collate(packs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several packs as one flat sequence, with what attention and positions need; all of shape (1, tokens)."""
    lengths = np.concatenate([pack["lengths"] for pack in packs])
    ids = np.concatenate([pack["input_ids"] for pack in packs])
    labels = np.concatenate([pack["labels"] for pack in packs])
    positions = np.concatenate([np.arange(length) for length in lengths])
    bounds = torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    longest = int(lengths.max())
    return {
        "input_ids": torch.from_numpy(ids.astype(np.int64)).unsqueeze(0),
        "labels": torch.from_numpy(labels.astype(np.int64)).unsqueeze(0),
        "position_ids": torch.from_numpy(positions).unsqueeze(0),
        "cu_seq_lens_q": bounds,
        "cu_seq_lens_k": bounds,
        "max_length_q": longest,
        "max_length_k": longest,
    }
