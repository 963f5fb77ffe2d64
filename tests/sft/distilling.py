"""What tests of distillation share: small rows, models with random weights, and recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datafactory.table import COLUMNS, RANK, write_parquet
from sft.on_policy import OnPolicy
from sft.scratch import Scratch

SHAPE = Scratch(layers=1, hidden=32, heads=4, vocabulary=400, longest=256)
LARGER = Scratch(layers=2, hidden=48, heads=4, key_heads=2, vocabulary=400, longest=256)


def rows(count: int) -> list[dict[str, Any]]:
    """Small talk of two domains; each third row has a second answer."""
    made = []
    for number in range(count):
        asked = {"role": "user", "content": f"count to {number % 7} " + "please " * (number % 5)}
        said = {"role": "assistant", "content": " ".join(map(str, range(number % 7)))}
        again = [{"role": "user", "content": "again"}, said] if number % 3 == 0 else []
        messages = [asked, said, *again]
        made.append(
            {
                "id": f"t{number:03}/0",
                "task_id": f"t{number:03}",
                "attempt": 0,
                "rank": number,
                "domain": "search" if number % 2 else "terminal",
                "messages": messages,
                "tools": [],
                "train_turns": [message["role"] == "assistant" for message in messages],
            }
        )
    return made


def table(path: Path, count: int = 30) -> Path:
    """Rows as `arrange` leaves them."""
    write_parquet(rows(count), path, (*COLUMNS, RANK), key=None)
    return path


def model(folder: Path, shape: Scratch = SHAPE, *, seed: int = 1, talk: int = 30, sure: float = 1.0) -> Path:
    """A model with random weights that is as sure of itself as told; its tokenizer is learned from so many rows."""
    from transformers import AutoModelForCausalLM

    shape.make(rows(talk), folder, seed=seed)
    made = AutoModelForCausalLM.from_pretrained(folder)
    made.model.norm.weight.data *= sure
    made.save_pretrained(folder)
    return folder


def recipe(student: Path, **more: Any) -> OnPolicy:
    """A few quick steps."""
    told = {"student": str(student), "max_length": 128, "max_tokens": 12, "batch": 8, "samples": 2, "steps": 6}
    quick = {"learning_rate": 3e-3, "warmup_steps": 1, "processes": 1, "save_every": 2}
    return OnPolicy.model_validate(told | quick | more)
