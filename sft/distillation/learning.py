"""The loop of a distillation: steps of the optimizer, a journal of them, and checkpoints to go on from."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from datafactory.errors import RunError
from datafactory.whole import sync, whole
from sft.distillation.methods import Facts, Method
from sft.distillation.spec import Distillation

_KEPT = 2
"""Checkpoints that stay."""


class Learning:
    """Trains a model in place, from its last checkpoint in a folder."""

    def __init__(self, spec: Distillation, model: Any, folder: Path) -> None:
        self._spec, self._model, self._folder = spec, model, folder
        self._optimizer = torch.optim.AdamW(_groups(model, spec.weight_decay), lr=spec.learning_rate, betas=spec.betas)
        self._journal = folder / "steps.jsonl"

    def run(self, method: Method, batches: Sequence[Sequence[int]]) -> list[Facts]:
        """All steps; what the journal says of each, those of an earlier run too."""
        lines = self._resume()
        began = time.monotonic()
        written = 0
        for step in range(len(lines), len(batches)):
            facts = method.learn(self._model, step, batches[step])
            rate = rate_at(self._spec, step, len(batches))
            norm = self._optimize(rate)
            if not math.isfinite(facts["loss"]) or not math.isfinite(norm):
                raise RunError(f"step {step + 1}: the loss is {facts['loss']}, its gradient's norm {norm}")
            written += facts["answer_tokens"]
            passed = time.monotonic() - began
            lines.append(
                {"step": step + 1, "steps": len(batches)}
                | facts
                | {
                    "grad_norm": norm,
                    "learning_rate": rate,
                    "tokens_per_second": round(written / passed, 1),
                    "seconds": round(passed, 2),
                }
            )
            with self._journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps(lines[-1]) + "\n")
            if (step + 1) % self._spec.save_every == 0 and step + 1 < len(batches):
                self._save(lines)
        return lines

    def _optimize(self, rate: float) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        norm = torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._spec.max_grad_norm)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return float(norm)

    def _save(self, lines: Sequence[Facts]) -> None:
        """A folder that appears whole: it is renamed when all of it is on disk."""
        draft = self._folder / "checkpoints" / ".draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        torch.save(self._model.state_dict(), draft / "model.pt")
        torch.save(self._optimizer.state_dict(), draft / "optimizer.pt")
        (draft / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        for path in draft.iterdir():
            sync(path)
        draft.rename(draft.with_name(f"step-{len(lines):08}"))
        sync(draft.parent)
        for old in sorted(draft.parent.glob("step-*"))[:-_KEPT]:
            shutil.rmtree(old)

    def _resume(self) -> list[Facts]:
        """Take up the last checkpoint, and cut the journal to what it knows of."""
        found = sorted((self._folder / "checkpoints").glob("step-*"))
        lines: list[Facts] = []
        if found:
            device = self._model.device
            self._model.load_state_dict(torch.load(found[-1] / "model.pt", map_location=device))
            self._optimizer.load_state_dict(torch.load(found[-1] / "optimizer.pt", map_location=device))
            lines = [json.loads(line) for line in (found[-1] / "steps.jsonl").read_text().splitlines()]
        with whole(self._journal) as draft:
            draft.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return lines


def rate_at(spec: Distillation, step: int, steps: int) -> float:
    """The learning rate of a step, which are counted from 0."""
    if step < spec.warmup_steps:
        return spec.learning_rate * (step + 1) / spec.warmup_steps
    passed = (step - spec.warmup_steps) / max(1, steps - spec.warmup_steps)
    if spec.schedule == "cosine":
        return spec.least_rate + (spec.learning_rate - spec.least_rate) * (1 + math.cos(math.pi * passed)) / 2
    return spec.learning_rate * (1 - passed if spec.schedule == "linear" else 1)


def _groups(model: Any, decay: float) -> list[dict[str, Any]]:
    """Matrices decay; norms and biases do not."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [each for each in trained if each.ndim > 1], "weight_decay": decay},
        {"params": [each for each in trained if each.ndim < 2], "weight_decay": 0.0},
    ]
