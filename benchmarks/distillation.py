"""Holds distilled students against one that was fine-tuned further, at equal steps and about equal tokens of loss.

    datafactory run examples/quickstart.yaml --runs runs
    python benchmarks/distillation.py --rows runs/quickstart/5-arrange-*/records.parquet --out distillation.json

A teacher and a smaller student are made from scratch and fine-tuned on the same rows, the student shortly. Then, from
that student, with the same learning rates, schedule and number of steps:
  sft          the trainer `trl` goes on, in packs that hold about as many tokens of loss
  gkd          λ = 0.5, β = 0.5
  gkd_rows     λ = 0, β = 0: the rows' answers, the teacher's whole distributions
  on_policy    the student's answers, the teacher's log-probabilities

One task in three is held out of everything. On its rows: the loss (nats a token), how often the student's first choice
is the row's token and the teacher's first choice, the exact reverse KL divergence a token where the student goes, and
how many of its answers come to an end within 250 tokens.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

SHAPES = {
    "student": {"layers": 1, "hidden": 64, "heads": 2, "vocabulary": 2048},
    "teacher": {"layers": 2, "hidden": 128, "heads": 4, "vocabulary": 2048},
}
RATE = 3e-3
"""The learning rate of the two models before."""
WRITTEN = 48
"""Held-out histories that students answer."""


def main() -> None:
    """Train, measure, print a table."""
    asked = arguments()
    with tempfile.TemporaryDirectory(prefix="distillation-") as place:
        folder = Path(place)
        split(asked.rows, folder)
        figures = asyncio.run(trained(asked, folder))
        for name, told in figures.items():
            told.update(measured(folder, folder / name / "model", asked))
            print(name, json.dumps(told), flush=True)
    report = {"arguments": {key: str(value) for key, value in vars(asked).items()}, "arms": figures}
    asked.out.write_text(json.dumps(report, indent=1))
    print(table(figures))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="an arranged table")
    parser.add_argument("--out", type=Path, default=Path("distillation.json"))
    parser.add_argument("--steps", type=int, default=60, help="of the optimizer, in each arm")
    parser.add_argument("--batch", type=int, default=16, help="histories of a step")
    parser.add_argument("--samples", type=int, default=4, help="answers to a history in the arm that samples them all")
    parser.add_argument("--length", type=int, default=768)
    parser.add_argument("--teacher-epochs", type=float, default=12)
    parser.add_argument("--student-epochs", type=float, default=20)
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3, 3e-4], help="learning rates of the arms")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def split(rows: Path, folder: Path) -> None:
    """`taught.parquet` and `held.parquet`, by the task; the first message is cut to it, since what all rows begin with
    would be most of what so small a model reads."""
    from datafactory.table import COLUMNS, RANK, read_rows, write_parquet

    parts: dict[str, list[dict[str, Any]]] = {"taught": [], "held": []}
    for row in read_rows(rows):
        row["messages"][0]["content"] = row["instruction"]
        parts["taught" if zlib.crc32(row["task_id"].encode()) % 3 else "held"].append(row)
    for name, part in parts.items():
        write_parquet(part, folder / f"{name}.parquet", (*COLUMNS, RANK), key=None)


async def trained(asked: argparse.Namespace, folder: Path) -> dict[str, dict[str, Any]]:
    """All students, and what their trainers said of them."""
    from sft.trl import Trl

    rows = folder / "taught.parquet"
    quick = {"max_length": asked.length, "processes": 1}
    for name, epochs in (("teacher", asked.teacher_epochs), ("student", asked.student_epochs)):
        spec = Trl(scratch=SHAPES[name], epochs=epochs, batch=4, learning_rate=RATE, **quick)
        await spec.train(rows, folder / name)
    facts = json.loads((folder / "student" / "result.json").read_bytes())
    made: dict[str, dict[str, Any]] = {"teacher": {}, "student": {}}
    for rate in asked.rates:
        for arm, spec in arms(asked, folder, facts, rate).items():
            began = time.monotonic()
            told = (await spec.train(rows, folder / f"{arm}-{rate:g}")).facts
            epoch_tokens = getattr(spec, "epochs", 0) * told["trained_tokens"]
            made[f"{arm}-{rate:g}"] = {
                "steps": told["steps"],
                "loss_tokens": told.get("answer_tokens", round(epoch_tokens)),
                "seconds": round(time.monotonic() - began, 1),
                "first_reverse_kl": told.get("first_reverse_kl"),
                "last_reverse_kl": told.get("last_reverse_kl"),
            }
            print(f"{arm}-{rate:g}", json.dumps(made[f"{arm}-{rate:g}"]), flush=True)
    return made


def arms(asked: argparse.Namespace, folder: Path, facts: dict[str, Any], rate: float) -> dict[str, Any]:
    """The trainers that go on from the same student."""
    from sft.gkd import Gkd
    from sft.on_policy import OnPolicy
    from sft.trl import Trl

    same = {
        "student": str(folder / "student" / "model"),
        "max_length": asked.length,
        "learning_rate": rate,
        "schedule": "constant",
        "seed": asked.seed,
        "processes": 1,
    }
    step_tokens = asked.batch * facts["trained_tokens"] / facts["turns"]
    packs = max(1, round(step_tokens / (facts["trained_tokens"] / facts["packs"])))
    teaching = same | {
        "teacher": {"model": str(folder / "teacher" / "model")},
        "max_tokens": 250,
        "steps": asked.steps,
        "batch": asked.batch,
        "warmup_steps": 3,
    }
    drawn = teaching | {"batch": max(1, asked.batch // asked.samples), "samples": asked.samples}
    return {
        "sft": Trl(
            **same
            | {"batch": packs, "epochs": asked.steps * packs / facts["packs"], "warmup": min(0.9, 3 / asked.steps)}
        ),
        "gkd": Gkd(**teaching),
        "gkd_rows": Gkd(**teaching | {"on_policy": 0.0, "beta": 0.0}),
        "on_policy": OnPolicy(**drawn),
    }


def measured(folder: Path, model: Path, asked: argparse.Namespace) -> dict[str, float]:
    """A student on the held-out rows, beside the teacher."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from sft.data import prepare
    from sft.distillation.answers import Answers
    from sft.distillation.objectives import divergence
    from sft.distillation.samples import Pass, Sample, chosen, in_passes
    from sft.distillation.sampling import Asked, Sampler
    from sft.training import attention

    attention.register()
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokens = prepare(folder / "held.parquet", folder / "held", model, max_length=asked.length)
    answers = Answers(tokens, ["teacher"] * len(tokens))
    ours, wise = (
        AutoModelForCausalLM.from_pretrained(path, attn_implementation=attention.NAME)
        for path in (model, folder / "teacher" / "model")
    )
    known = len(tokenizer)
    shown = [Sample(answers.history(n), answers.own(n), "teacher") for n in range(len(answers))]
    step = max(1, len(shown) // WRITTEN)
    sampler = Sampler(ours, temperature=1.0, endings={tokenizer.eos_token_id}, known=known, at_once=16)
    written = sampler.sample(
        [Asked(each.history, "teacher", 250, (7, place)) for place, each in enumerate(shown[::step])]
    )
    sums = {"tokens": 0, "loss": 0.0, "right": 0, "as_teacher": 0, "written": 0, "reverse_kl": 0.0}
    with torch.no_grad():
        for samples, own in ((shown, False), (written, True)):
            for places in in_passes(samples, 8192):
                batch = Pass([samples[place] for place in places], torch.device("cpu"))
                student, teacher = (batch.logits(each, known) for each in (ours, wise))
                if own:
                    sums["written"] += len(batch.tokens)
                    sums["reverse_kl"] += float(divergence(student.log_softmax(-1), teacher.log_softmax(-1)).sum())
                    continue
                sums["tokens"] += len(batch.tokens)
                sums["loss"] -= float(chosen(student, batch.tokens).sum())
                sums["right"] += int((student.argmax(1) == batch.tokens).sum())
                sums["as_teacher"] += int((student.argmax(1) == teacher.argmax(1)).sum())
    return {
        "held_loss": sums["loss"] / sums["tokens"],
        "held_right": sums["right"] / sums["tokens"],
        "held_as_teacher": sums["as_teacher"] / sums["tokens"],
        "held_reverse_kl": sums["reverse_kl"] / sums["written"],
        "held_written": sums["written"] / len(written),
        "held_ended": sum(each.ended for each in written) / len(written),
    }


def table(figures: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown."""
    heads = "arm, steps, tokens of loss, s, held-out loss, right, as the teacher, reverse KL on its own answers, ended"
    lines = [f"| {heads.replace(', ', ' | ')} |", "|---" * 9 + "|"]
    for name, told in figures.items():
        lines.append(
            f"| {name} | {told.get('steps', '')} | {told.get('loss_tokens', '')} | {told.get('seconds', '')} "
            f"| {told['held_loss']:.3f} | {told['held_right']:.1%} | {told['held_as_teacher']:.1%} "
            f"| {told['held_reverse_kl']:.3f} | {told['held_ended']:.0%} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
