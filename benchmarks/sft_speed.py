"""Measures training beside TRL as it comes out of the box: the same rows, the same student, one run.

    python benchmarks/sft_speed.py --rows rows.parquet --shape 100m --tokens 8000000 --out speed.json

Arms, each in a process of its own:
  trl          SFTTrainer on `messages` and `tools`, loss on assistant turns, bf16, padded batches, TRL's defaults
  trl_packed   the same with TRL's own packing (`bfd`), which needs an attention that knows where rows end
  factory      the trainer `trl` of the factory
  compiled     the same with `torch.compile`

Every arm passes once over the same rows in the same order, with as many tokens a step as its batches
allow. The clock starts at the end of the tenth step. Prints tokens/s (of rows; padding is no token), model FLOP use
(6 × weights × tokens, and attention, of 989 TFLOP/s in bf16 on an H100 or H200), the loss over tokens, and the loss of
each trained student on the same rows that no arm was trained on, by one and the same measure: what the arms log is of
other batches and other tokens.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

SHAPES = {
    "1m": {"layers": 2, "hidden": 128, "heads": 2, "vocabulary": 4096},
    "30m": {"layers": 8, "hidden": 512, "heads": 8, "vocabulary": 8192},
    "100m": {"layers": 12, "hidden": 768, "heads": 12, "vocabulary": 16384},
}
PEAK = 989e12
"""bf16 FLOP a second of an H100 or H200 (SXM) without sparsity, as NVIDIA gives them."""
ARMS = ("trl", "trl_packed", "factory", "compiled")
WARM = 10
"""Steps before the clock starts."""
HELD = 64
"""Rows that are held out."""


def main() -> None:
    """Run the arms one after another and print a table."""
    asked = arguments()
    if asked.arm:
        work(asked)
        return
    with tempfile.TemporaryDirectory(prefix="sft-speed-") as place:
        folder = Path(place)
        make_student(asked, folder)
        figures = {}
        for arm in asked.arms:
            command = [sys.executable, __file__, *sys.argv[1:], "--arm", arm, "--folder", str(folder)]
            done = subprocess.run(command, check=False)
            made = folder / f"{arm}.json"
            figures[arm] = json.loads(made.read_text()) if made.exists() else {"failed": done.returncode}
            if made.exists():
                figures[arm]["held_out_loss"] = held_out_loss(folder, folder / arm / "model", asked.length)
            print(json.dumps({arm: {k: v for k, v in figures[arm].items() if k != "curve"}}), flush=True)
    if asked.out:
        asked.out.write_text(json.dumps(figures, indent=1))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="an arranged table")
    parser.add_argument("--shape", choices=SHAPES, default="100m")
    parser.add_argument("--tokens", type=int, default=8_000_000, help="of rows, that each arm passes over")
    parser.add_argument("--step", type=int, default=131_072, help="tokens of a step, about")
    parser.add_argument("--length", type=int, default=16_384)
    parser.add_argument("--rate", type=float, default=1e-3, help="the learning rate at its height")
    parser.add_argument("--padded", type=int, default=8, help="rows that the padded arm works on at a time")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--arm", choices=ARMS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def make_student(asked: argparse.Namespace, folder: Path) -> None:
    """The student of all arms, and the rows that they pass over."""
    from datafactory.table import COLUMNS, RANK, read_rows, write_parquet
    from sft.rendering import Renderer
    from sft.scratch import Scratch

    shape = Scratch(**SHAPES[asked.shape], longest=asked.length)
    shape.make(read_rows(asked.rows), folder / "base", seed=1)
    from transformers import AutoTokenizer

    renderer = Renderer(AutoTokenizer.from_pretrained(folder / "base"), max_length=asked.length)
    rows, tokens, given = [], 0, iter(read_rows(asked.rows))
    write_parquet(list(islice(given, HELD)), folder / "held.parquet", (*COLUMNS, RANK), key=None)
    for row in given:
        tokens += len(renderer.render(row).ids)
        rows.append(row)
        if tokens >= asked.tokens:
            break
    write_parquet(rows, folder / "rows.parquet", (*COLUMNS, RANK), key=None)
    (folder / "facts.json").write_text(json.dumps({"rows": len(rows), "tokens": tokens}))
    print(json.dumps({"rows": len(rows), "tokens": tokens, "mean": tokens // len(rows)}), flush=True)


def held_out_loss(folder: Path, model: Path, length: int) -> float:
    """Nats a token that carries loss, over the rows held out, row by row in float32."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from datafactory.table import read_rows
    from sft.rendering import Renderer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    student = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).to(device).eval()
    renderer = Renderer(AutoTokenizer.from_pretrained(folder / "base"), max_length=length)
    total, count = 0.0, 0
    for row in read_rows(folder / "held.parquet"):
        made = renderer.render(row)
        ids = torch.as_tensor(made.ids, dtype=torch.long, device=device)[None]
        taught = torch.as_tensor(made.trained, device=device)[1:].nonzero()[:, 0]
        with torch.no_grad():
            logits = student(ids, logits_to_keep=taught).logits[0]
        total += torch.nn.functional.cross_entropy(logits, ids[0, 1:][taught], reduction="sum").item()
        count += taught.numel()
    return round(total / count, 4)


def work(asked: argparse.Namespace) -> None:
    """One arm."""
    facts = json.loads((asked.folder / "facts.json").read_text())
    made = (
        factory(asked, compiled=asked.arm == "compiled") if asked.arm in ("factory", "compiled") else peer(asked, facts)
    )
    made["mfu"] = round(flops(asked.folder / "base", made) / PEAK, 4)
    (asked.folder / f"{asked.arm}.json").write_text(json.dumps(made))


def flops(base: Path, made: dict[str, Any]) -> float:
    """FLOP a second: 6 for each weight and token, and 12 × layers × width × half the mean length for attention."""
    config = json.loads((base / "config.json").read_text())
    width = config["head_dim"] * config["num_attention_heads"]
    attention = 6 * config["num_hidden_layers"] * width * made["mean_length"]
    return float((6 * made["weights"] + attention) * made["tokens_per_second"])


def factory(asked: argparse.Namespace, *, compiled: bool) -> dict[str, Any]:
    """The trainer `trl`."""
    import asyncio

    from sft.trl import Trl

    spec = Trl(
        student=str(asked.folder / "base"),
        max_length=asked.length,
        epochs=1,
        batch=max(1, asked.step // asked.length),
        packs_at_once=max(1, min(asked.step // asked.length, 32_768 // asked.length)),
        learning_rate=asked.rate,
        compiled=compiled,
        save_every=10**6,
    )
    folder = asked.folder / asked.arm
    model = asyncio.run(spec.train(asked.folder / "rows.parquet", folder))
    lines = [json.loads(line) for line in (folder / "steps.jsonl").read_text().splitlines()]
    facts = model.facts
    return paced(lines, facts["tokens"] / facts["steps"], facts["tokens"] / facts["rows"], facts["weights"])


def paced(lines: list[dict[str, Any]], step: float, mean: float, weights: int) -> dict[str, Any]:
    """Speed between the first logged step after the warm-up and the last, and the loss over tokens."""
    warm = next((line for line in lines if line["step"] >= WARM), lines[0])
    last = lines[-1]
    seconds = last["seconds"] - warm["seconds"]
    speed = (last["step"] - warm["step"]) * step / seconds if seconds else 0.0
    curve = [(round(line["step"] * step), round(line["loss"], 4)) for line in lines]
    return {
        "tokens_per_second": round(speed),
        "seconds": last["seconds"],
        "mean_length": round(mean),
        "weights": weights,
        "steps": last["step"],
        "last_loss": lines[-1]["loss"],
        "curve": curve,
    }


def peer(asked: argparse.Namespace, facts: dict[str, Any]) -> dict[str, Any]:
    """TRL's own trainer on the same rows."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    from datafactory.table import read_rows

    rows = [
        {"messages": row["messages"], "tools": row["tools"] or None} for row in read_rows(asked.folder / "rows.parquet")
    ]
    packed = asked.arm == "trl_packed"
    at_once = 1 if packed else asked.padded
    mean = facts["tokens"] / facts["rows"]
    together = asked.length if packed else mean * at_once
    config = SFTConfig(
        output_dir=str(asked.folder / asked.arm),
        num_train_epochs=1,
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=max(1, round(asked.step / together)),
        learning_rate=asked.rate,
        lr_scheduler_type="cosine",
        warmup_steps=0.1,
        weight_decay=1e-4,
        adam_beta2=0.95,
        bf16=torch.cuda.is_available(),
        assistant_only_loss=True,
        packing=packed,
        max_length=asked.length,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        train_sampling_strategy="sequential",
    )
    attention = "flex_attention" if packed else "sdpa"
    trainer = SFTTrainer(
        AutoModelForCausalLM.from_pretrained(asked.folder / "base", attn_implementation=attention, dtype=torch.float32),
        args=config,
        train_dataset=Dataset.from_list(rows, on_mixed_types="use_json"),
        processing_class=AutoTokenizer.from_pretrained(asked.folder / "base"),
        callbacks=[clock(lines := [])],
    )
    trainer.train()
    trainer.save_model(str(asked.folder / asked.arm / "model"))
    weights = sum(parameter.numel() for parameter in trainer.model.parameters())
    return paced(lines, facts["tokens"] / trainer.state.global_step, mean, weights)


def clock(lines: list[dict[str, Any]]) -> Any:
    """Keeps step, loss and seconds of each logged step."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        """See `clock`."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            """Starts it."""
            self.began = time.monotonic()

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            """Reads it."""
            if logs and "loss" in logs:
                at = time.monotonic() - self.began
                lines.append({"step": state.global_step, "loss": float(logs["loss"]), "seconds": at})

    return Clock()


if __name__ == "__main__":
    main()
