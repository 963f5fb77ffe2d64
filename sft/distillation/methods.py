"""One step of each distillation: what is answered, who scores it, and the gradients that come of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch

from sft.distillation.answers import Answers
from sft.distillation.loaded import LoadedTeacher
from sft.distillation.objectives import divergence, generalized_jsd, mopd
from sft.distillation.samples import Pass, Sample, chosen, in_passes
from sft.distillation.sampling import Asked, Sampler
from sft.distillation.spec import Distillation
from sft.gkd import Gkd
from sft.on_policy import OnPolicy

Facts = dict[str, Any]
"""What the journal says of a step."""


class Scorer(Protocol):
    """Says how likely answers are."""

    def score(self, samples: Sequence[Sample]) -> list[np.ndarray[Any, Any]]:
        """Log-probability (nats) of each token of each answer, one array of shape (tokens,) an answer."""
        ...


class Method(Protocol):
    """One distillation."""

    def learn(self, model: Any, step: int, numbers: Sequence[int]) -> Facts:
        """Add to the model's gradients what the histories of these numbers teach."""
        ...


class Histories:
    """The histories of rows, to be answered by the student or as the rows have it."""

    def __init__(self, answers: Answers, sampler: Sampler, spec: Distillation) -> None:
        self._answers, self._sampler, self._spec = answers, sampler, spec

    def written(self, numbers: Sequence[int], step: int, times: int = 1) -> list[Sample]:
        """What the student answers, each history `times` times."""
        asked = []
        for place, number in enumerate(numbers):
            history = self._answers.history(number)
            limit = min(self._spec.max_tokens, self._spec.max_length - len(history))
            for again in range(times):
                seed = (self._spec.seed, step, place, again)
                asked.append(Asked(history, self._answers.teacher(number), limit, seed))
        return self._sampler.sample(asked)

    def own(self, numbers: Sequence[int]) -> list[Sample]:
        """What the rows have there."""
        found = self._answers
        return [Sample(found.history(each), found.own(each), found.teacher(each)) for each in numbers]


class OnPolicyMethod:
    """The student's answers, scored token by token."""

    def __init__(self, spec: OnPolicy, histories: Histories, teachers: Mapping[str, Scorer], known: int) -> None:
        self._spec, self._histories, self._teachers, self._known = spec, histories, teachers, known

    def learn(self, model: Any, step: int, numbers: Sequence[int]) -> Facts:
        """See `Method`. Each answer counts the same, whatever its length: its loss is a mean over its tokens."""
        began = time.monotonic()
        samples = self._histories.written(numbers, step, self._spec.samples)
        sampled = time.monotonic()
        scores = self._scored(samples)
        scored = time.monotonic()
        told = _Told(samples)
        for places in in_passes(samples, self._spec.tokens_at_once or self._spec.max_length):
            batch = Pass([samples[place] for place in places], model.device)
            with _mixed(model.device):
                logits = batch.logits(model, self._known)
            share = [np.full(len(each.answer), 1 / len(each.answer) / len(samples)) for each in batch.samples]
            found = mopd(
                chosen(logits, batch.tokens),
                batch.spread([scores[place] for place in places]),
                batch.spread([each.drawn for each in batch.samples if each.drawn is not None]),
                batch.spread(share),
                least=self._spec.least_weight,
                most=self._spec.most_weight,
            )
            torch.autograd.backward(found.loss)
            told.add(batch, found.loss, -found.advantage, ~found.kept)
        seconds = {"sampling": sampled - began, "scoring": scored - sampled, "learning": time.monotonic() - scored}
        return told.facts(seconds)

    def _scored(self, samples: Sequence[Sample]) -> list[np.ndarray[Any, Any]]:
        made: dict[int, np.ndarray[Any, Any]] = {}
        for name, teacher in self._teachers.items():
            places = [place for place, sample in enumerate(samples) if sample.teacher == name]
            if places:
                made.update(zip(places, teacher.score([samples[place] for place in places]), strict=True))
        return [made[place] for place in range(len(samples))]


class GkdMethod:
    """Answers of the student's and of the rows', and the whole distributions over them."""

    def __init__(self, spec: Gkd, histories: Histories, teachers: Mapping[str, LoadedTeacher], known: int) -> None:
        self._spec, self._histories, self._teachers, self._known = spec, histories, teachers, known

    def learn(self, model: Any, step: int, numbers: Sequence[int]) -> Facts:
        """See `Method`. Every token of a step counts the same."""
        began = time.monotonic()
        dice = np.random.default_rng((self._spec.seed, step)).random(len(numbers))
        alone = [number for number, draw in zip(numbers, dice, strict=True) if draw < self._spec.on_policy]
        shown = [number for number, draw in zip(numbers, dice, strict=True) if draw >= self._spec.on_policy]
        samples = (self._histories.written(alone, step) if alone else []) + self._histories.own(shown)
        sampled = time.monotonic()
        tokens = sum(len(each.answer) for each in samples)
        told = _Told(samples)
        for name, teacher in self._teachers.items():
            mine = [sample for sample in samples if sample.teacher == name]
            for places in in_passes(mine, self._spec.tokens_at_once or self._spec.max_length):
                batch = Pass([mine[place] for place in places], model.device)
                with _mixed(model.device):
                    student = batch.logits(model, self._known).log_softmax(-1)
                wise = teacher.logits(batch).log_softmax(-1)
                loss = generalized_jsd(student, wise, self._spec.beta).sum() / tokens
                torch.autograd.backward(loss)
                told.add(batch, loss, divergence(student.detach(), wise))
        made = told.facts({"sampling": sampled - began, "learning": time.monotonic() - sampled})
        return made | {"on_policy": round(len(alone) / len(numbers), 4)}


class _Told:
    """What is said of a step, gathered pass by pass."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self._loss = 0.0
        self._outside = 0
        self._sums: dict[str, list[float]] = {}
        """By teacher: tokens of answers, and the sum of the reverse KL divergence (nats) over them."""

    def add(self, batch: Pass, loss: torch.Tensor, gap: torch.Tensor, outside: torch.Tensor | None = None) -> None:
        """One pass; `gap`: the reverse KL divergence of each token, or its estimate."""
        self._loss += float(loss.detach())
        self._outside += int(outside.sum()) if outside is not None else 0
        ends = np.cumsum([len(each.answer) for each in batch.samples])[:-1]
        for sample, part in zip(batch.samples, np.split(gap.detach().cpu().double().numpy(), ends), strict=True):
            sums = self._sums.setdefault(sample.teacher, [0, 0.0])
            sums[0] += len(part)
            sums[1] += float(part.sum())

    def facts(self, seconds: Mapping[str, float]) -> Facts:
        """The journal's words for it."""
        tokens = sum(int(count) for count, _ in self._sums.values())
        drawn = [sample for sample in self._samples if sample.drawn is not None]
        return {
            "loss": self._loss,
            "reverse_kl": sum(gap for _, gap in self._sums.values()) / tokens,
            "teachers": {
                name: {"tokens": int(count), "reverse_kl": gap / count} for name, (count, gap) in self._sums.items()
            },
            "answers": len(self._samples),
            "answer_tokens": tokens,
            "tokens": sum(map(len, self._samples)),
            "clipped": self._outside / tokens,
            "unfinished": sum(not each.ended for each in drawn) / max(1, len(drawn)),
            **{f"{name}_seconds": round(value, 3) for name, value in seconds.items()},
        }


def _mixed(device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")
