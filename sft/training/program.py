"""Trains one student, as a program: `python -m sft.training.program job.json`."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from trl.trainer.sft_config import SFTConfig

from datafactory.table import read_rows
from datafactory.whole import whole
from sft.data import Tokens, prepare
from sft.packing import packed
from sft.rendering.renderer import training_template
from sft.starting import end_with_starter
from sft.training import attention
from sft.training.batches import Packs, collate
from sft.training.learner import Journal, Learner
from sft.trl import Trl

_SCHEDULES = {"cosine": "cosine_with_min_lr", "linear": "linear", "constant": "constant_with_warmup"}


def main() -> None:
    """Prepare, train, save."""
    end_with_starter()
    job = Path(sys.argv[1])
    told = json.loads(job.read_bytes())
    folder, spec, table = job.parent, Trl.model_validate(told["spec"]), Path(told["table"])
    base = _base(spec, table, folder)
    tokens = prepare(table, folder / "tokens", base, max_length=spec.max_length, processes=spec.processes)
    order, packs = _order(tokens, spec)
    began = time.monotonic()
    learner = _learner(spec, folder, base, packs, order)
    learner.train(resume_from_checkpoint=_checkpoint(folder / "checkpoints"))
    if learner.accelerator.is_main_process:
        _save(learner, base, folder)
        result = {**tokens.facts, **_outcome(learner, spec, len(packs), time.monotonic() - began)}
        with whole(folder / "result.json") as draft:
            draft.write_text(json.dumps(result, indent=1))


def _base(spec: Trl, table: Path, folder: Path) -> Path:
    """The folder of the student as it is before, with the template that it is trained and served with."""
    base = folder / "base"
    if (base / "config.json").exists():
        return base
    if spec.scratch is not None:
        spec.scratch.make(read_rows(table), base, seed=spec.seed)
        return base
    tokenizer = AutoTokenizer.from_pretrained(spec.student, revision=spec.revision or "main")
    if (template := training_template(tokenizer)) is not None:
        tokenizer.chat_template = template
    tokenizer.save_pretrained(base)
    return base


def _order(tokens: Tokens, spec: Trl) -> tuple[list[int], list[list[int]]]:
    """The packs, and their numbers in the order of all epochs."""
    _, _, ends = tokens.arrays()
    packs = packed(np.diff(ends, prepend=0).tolist(), spec.max_length, seed=spec.seed)
    later = np.random.default_rng(spec.seed)
    order: list[int] = []
    while len(order) < round(len(packs) * spec.epochs):
        order += later.permutation(len(packs)).tolist() if order else range(len(packs))
    return order[: max(1, round(len(packs) * spec.epochs))], packs


def _learner(spec: Trl, folder: Path, base: Path, packs: list[list[int]], order: list[int]) -> Learner:
    attention.register()
    gpu = torch.cuda.is_available()
    tokens = Packs(Tokens(folder / "tokens", json.loads((folder / "tokens" / "tokens.json").read_bytes())), packs)
    at_once = min(spec.packs_at_once, spec.batch)
    if spec.batch % (at_once * spec.devices):
        raise SystemExit(
            f"batch ({spec.batch}) must be a multiple of packs_at_once × devices ({at_once * spec.devices})"
        )
    steps = math.ceil(len(order) / spec.batch)
    config = SFTConfig(
        output_dir=str(folder / "checkpoints"),
        max_steps=steps,
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=spec.batch // (at_once * spec.devices),
        learning_rate=spec.learning_rate,
        lr_scheduler_type=_SCHEDULES[spec.schedule],
        lr_scheduler_kwargs={"min_lr": spec.least_rate} if spec.schedule == "cosine" else {},
        warmup_steps=round(spec.warmup * steps),
        weight_decay=spec.weight_decay,
        adam_beta1=spec.betas[0],
        adam_beta2=spec.betas[1],
        max_grad_norm=spec.max_grad_norm,
        bf16=gpu,
        gradient_checkpointing=spec.checkpointing,
        torch_compile=spec.compiled,
        seed=spec.seed,
        train_sampling_strategy="sequential",
        logging_steps=max(1, min(10, steps // 50)),
        save_steps=spec.save_every,
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
    )
    return Learner(
        model=_model(spec, base),
        args=config,
        train_dataset=Dataset.from_dict({"pack": order}),
        data_collator=lambda rows: collate([tokens[row["pack"]] for row in rows]),
        processing_class=AutoTokenizer.from_pretrained(base),
        peft_config=_lora(spec),
        callbacks=[Journal(folder / "steps.jsonl", float(tokens.mean_length * spec.batch))],
    )


def _model(spec: Trl, base: Path) -> Any:
    where: Any = base if spec.scratch is not None else spec.student
    revision = spec.revision or "main"
    config = AutoConfig.from_pretrained(where, revision=revision)
    if spec.yarn is not None:
        made_for = config.max_position_embeddings
        own = dict(getattr(config, "rope_parameters", None) or {})
        yarn = {"rope_type": "yarn", "factor": spec.yarn, "original_max_position_embeddings": made_for}
        config.rope_parameters = {**own, **yarn}
        config.max_position_embeddings = int(made_for * spec.yarn)
    return AutoModelForCausalLM.from_pretrained(
        where, revision=revision, config=config, attn_implementation=attention.NAME, dtype=torch.float32
    )


def _lora(spec: Trl) -> Any:
    if spec.lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=spec.lora.rank,
        lora_alpha=spec.lora.alpha,
        lora_dropout=spec.lora.dropout,
        target_modules=list(spec.lora.targets) or "all-linear",
        task_type="CAUSAL_LM",
    )


def _checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that is whole: the trainer's state is written last."""
    found = [path.parent for path in folder.glob("checkpoint-*/trainer_state.json")]
    return str(max(found, key=lambda path: int(path.name.rpartition("-")[2]))) if found else None


def _save(learner: Learner, base: Path, folder: Path) -> None:
    """The trained student, as a model that can be loaded and served; LoRA's matrices are added to the weights."""
    model = learner.accelerator.unwrap_model(learner.model)
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    model.to(torch.bfloat16 if torch.cuda.is_available() else torch.float32).save_pretrained(folder / "model")
    AutoTokenizer.from_pretrained(base).save_pretrained(folder / "model")


def _outcome(learner: Learner, spec: Trl, packs: int, seconds: float) -> dict[str, Any]:
    model: Any = learner.model
    losses = [line["loss"] for line in learner.state.log_history if "loss" in line]
    return {
        "packs": packs,
        "steps": learner.state.global_step,
        "first_loss": losses[0] if losses else None,
        "last_loss": losses[-1] if losses else None,
        "seconds": round(seconds, 1),
        "weights": sum(parameter.numel() for parameter in model.parameters()),
    }


if __name__ == "__main__":
    main()
