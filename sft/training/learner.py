"""TRL's trainer, fed with packs: loss on trained tokens alone, and the head computed for no others."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import TrainerCallback
from trl.trainer.sft_trainer import SFTTrainer

from sft.training.batches import IGNORED


class Learner(SFTTrainer):
    """`SFTTrainer` on packs. Rows lie end to end in one sequence; the language-model head, which is most of a small
    student's work, is applied where a token is taught and nowhere else, with the same loss to the last digit."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Mean negative log-likelihood (nats) of the trained tokens of the whole step, over all devices."""
        labels = inputs.pop("labels")[0, 1:]
        taught = labels.ne(IGNORED).nonzero()[:, 0]
        logits = model(**inputs, use_cache=False, logits_to_keep=taught).logits[0]
        total = cross_entropy(logits.float(), labels[taught], reduction="sum")
        count = num_items_in_batch if num_items_in_batch is not None else taught.numel()
        loss = total / torch.as_tensor(count, device=total.device).clamp(min=1)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes
        return (loss, {}) if return_outputs else loss


class Journal(TrainerCallback):
    """Writes a line for each logged step to a file: loss, learning rate, and how fast it goes."""

    def __init__(self, path: Path, tokens_of_step: float) -> None:
        self._path, self._tokens = path, tokens_of_step
        self._began, self._from = time.monotonic(), 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Starts the clock, at the step that a checkpoint left off at."""
        self._began, self._from = time.monotonic(), state.global_step

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """One line: step of steps, epoch, loss (nats), gradient norm, learning rate, tokens and seconds since start."""
        if not state.is_world_process_zero or not logs or "loss" not in logs:
            return
        seconds = time.monotonic() - self._began
        done = state.global_step - self._from
        line = {
            "step": state.global_step,
            "steps": state.max_steps,
            "epoch": round(float(state.epoch or 0), 4),
            "loss": float(logs["loss"]),
            "grad_norm": float(logs.get("grad_norm", 0.0)),
            "learning_rate": float(logs.get("learning_rate", 0.0)),
            "tokens_per_second": round(done * self._tokens / seconds, 1) if seconds and done else None,
            "seconds": round(seconds, 2),
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
