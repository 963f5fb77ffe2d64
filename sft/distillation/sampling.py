"""A student writes answers, with the log-probability that it drew each token with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sft.distillation.samples import Sample
from sft.training import attention


@dataclass(frozen=True, slots=True)
class Asked:
    """A history that waits for an answer."""

    history: np.ndarray[Any, Any]
    """Token ids, shape (length,)."""
    teacher: str
    limit: int
    """Tokens of the answer at most."""
    seed: tuple[int, ...]
    """Of what is drawn: the same answer whatever is sampled beside it."""


class Sampler:
    """Samples from the model that learns, side by side and with a cache."""

    def __init__(self, model: Any, *, temperature: float, endings: set[int], known: int, at_once: int) -> None:
        """`endings`: tokens that end an answer; `known`: ids from there on are no tokens."""
        self._model, self._temperature, self._known, self._at_once = model, temperature, known, at_once
        self._endings = torch.tensor(sorted(endings), device=model.device)

    def sample(self, asked: Sequence[Asked]) -> list[Sample]:
        """An answer to each history, in their order. Those of like length are written side by side."""
        order = sorted(range(len(asked)), key=lambda number: len(asked[number].history))
        made: dict[int, Sample] = {}
        with torch.no_grad(), self._writing():
            for start in range(0, len(order), self._at_once):
                group = order[start : start + self._at_once]
                made.update(zip(group, self._together([asked[number] for number in group]), strict=True))
        return [made[number] for number in range(len(asked))]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """An attention that pads, a cache, and no dropout."""
        self._model.set_attn_implementation("sdpa")
        self._model.eval()
        gpu = self._model.device.type == "cuda"
        try:
            with torch.autocast(self._model.device.type, torch.bfloat16, enabled=gpu):
                yield
        finally:
            self._model.train()
            self._model.set_attn_implementation(attention.NAME)

    def _together(self, asked: Sequence[Asked]) -> list[Sample]:
        writing = [_Writing(each) for each in asked]
        ids, mask = _padded([each.history for each in asked], self._model.device)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        still, cache = writing, None
        while True:
            done = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            cache = done.past_key_values
            tokens, scores = self._draw(done.logits[:, -1], [each.dice.random() for each in still])
            ends = torch.isin(tokens, self._endings).tolist()
            for each, token, score, end in zip(still, tokens.tolist(), scores.tolist(), ends, strict=True):
                each.add(token, score, end)
            stay = [place for place, each in enumerate(still) if not each.over]
            if not stay:
                return [each.sample() for each in writing]
            ids, positions = tokens[:, None], positions[:, -1:] + 1
            mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
            if len(stay) < len(still):
                kept = torch.tensor(stay, device=ids.device)
                ids, positions, mask = ids[kept], positions[kept], mask[kept]
                cache.batch_select_indices(kept)
                still = [still[place] for place in stay]

    def _draw(self, logits: torch.Tensor, dice: Sequence[float]) -> tuple[torch.Tensor, torch.Tensor]:
        """A token of each row and its log-probability, by inverting the distribution at numbers from 0 to 1."""
        scores = torch.log_softmax(logits[:, : self._known].double() / self._temperature, dim=-1)
        mass = scores.exp().cumsum(-1)
        at = torch.tensor(dice, dtype=mass.dtype, device=mass.device)[:, None] * mass[:, -1:]
        tokens = torch.searchsorted(mass, at, right=True)[:, 0].clamp(max=self._known - 1)
        return tokens, scores.gather(1, tokens[:, None])[:, 0].float()


class _Writing:
    """An answer that is being written."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self.dice = np.random.default_rng(asked.seed)
        self._tokens: list[int] = []
        self._scores: list[float] = []
        self._ended = False

    def add(self, token: int, score: float, end: bool) -> None:
        """One more token."""
        self._tokens.append(token)
        self._scores.append(score)
        self._ended = end

    @property
    def over(self) -> bool:
        """Whether it came to its end, or to its limit."""
        return self._ended or len(self._tokens) >= self._asked.limit

    def sample(self) -> Sample:
        """What was written."""
        answer, drawn = np.asarray(self._tokens, dtype=np.int32), np.asarray(self._scores, dtype=np.float32)
        return Sample(self._asked.history, answer, self._asked.teacher, drawn, self._ended)


def _padded(histories: Sequence[np.ndarray[Any, Any]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and whether each is one, of shape (histories, longest), filled up on the left."""
    longest = max(map(len, histories))
    ids = torch.zeros(len(histories), longest, dtype=torch.long)
    mask = torch.zeros(len(histories), longest, dtype=torch.long)
    for row, history in enumerate(histories):
        ids[row, longest - len(history) :] = torch.from_numpy(history.astype(np.int64))
        mask[row, longest - len(history) :] = 1
    return ids.to(device), mask.to(device)
