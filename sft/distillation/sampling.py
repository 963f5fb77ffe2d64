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
        device = self._model.device
        longest = max(len(each.history) for each in asked)
        ids = torch.zeros(len(asked), longest, dtype=torch.long)
        mask = torch.zeros(len(asked), longest, dtype=torch.long)
        for row, each in enumerate(asked):
            ids[row, longest - len(each.history) :] = torch.from_numpy(each.history.astype(np.int64))
            mask[row, longest - len(each.history) :] = 1
        ids, mask = ids.to(device), mask.to(device)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        cache: Any = None
        open_rows = list(range(len(asked)))
        dice = [np.random.default_rng(each.seed) for each in asked]
        written: list[list[int]] = [[] for _ in asked]
        drawn: list[list[float]] = [[] for _ in asked]
        ended = [False] * len(asked)
        while open_rows:
            done = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            cache = done.past_key_values
            tokens, scores = self._draw(done.logits[:, -1], [dice[row].random() for row in open_rows])
            over = torch.isin(tokens, self._endings).tolist()
            for row, token, score, last in zip(open_rows, tokens.tolist(), scores.tolist(), over, strict=True):
                written[row].append(token)
                drawn[row].append(score)
                ended[row] = last
            stay = [n for n, row in enumerate(open_rows) if not over[n] and len(written[row]) < asked[row].limit]
            ids, positions = tokens[:, None], positions[:, -1:] + 1
            mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
            if len(stay) < len(open_rows):
                kept = torch.tensor(stay, device=device, dtype=torch.long)
                ids, positions, mask = ids[kept], positions[kept], mask[kept]
                if stay:
                    cache.batch_select_indices(kept)
                open_rows = [open_rows[n] for n in stay]
        return [
            Sample(
                each.history,
                np.asarray(written[row], dtype=np.int32),
                each.teacher,
                np.asarray(drawn[row], dtype=np.float32),
                ended[row],
            )
            for row, each in enumerate(asked)
        ]

    def _draw(self, logits: torch.Tensor, dice: Sequence[float]) -> tuple[torch.Tensor, torch.Tensor]:
        """A token of each row and its log-probability, by inverting the distribution at numbers from 0 to 1."""
        scores = torch.log_softmax(logits[:, : self._known].double() / self._temperature, dim=-1)
        mass = scores.exp().cumsum(-1)
        at = torch.tensor(dice, dtype=mass.dtype, device=mass.device)[:, None] * mass[:, -1:]
        tokens = torch.searchsorted(mass, at, right=True)[:, 0].clamp(max=self._known - 1)
        return tokens, scores.gather(1, tokens[:, None])[:, 0].float()
