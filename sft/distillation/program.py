"""Distils one student, as a program: `python -m sft.distillation.program on_policy job.json`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from datafactory.errors import FactoryError
from datafactory.whole import whole
from sft.data import Tokens, prepare
from sft.distillation.answers import Answers, in_batches, taught_by
from sft.distillation.learning import Learning
from sft.distillation.loaded import LoadedTeacher
from sft.distillation.methods import Facts, GkdMethod, Histories, Method, OnPolicyMethod
from sft.distillation.sampling import Sampler
from sft.distillation.served import ServedTeacher
from sft.distillation.spec import Distillation
from sft.gkd import Gkd
from sft.on_policy import OnPolicy
from sft.rendering.renderer import training_template
from sft.starting import end_with_starter
from sft.training import attention

_RECIPES: dict[str, type[Distillation]] = {"gkd": Gkd, "on_policy": OnPolicy}


def main() -> None:
    """Prepare, distil, save."""
    end_with_starter()
    job = Path(sys.argv[2])
    told = json.loads(job.read_bytes())
    try:
        distil(_RECIPES[sys.argv[1]].model_validate(told["spec"]), Path(told["table"]), job.parent)
    except FactoryError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from error


def distil(spec: Distillation, table: Path, folder: Path) -> None:
    """Leave a student in `folder/model`, and what came of it in `folder/result.json`."""
    attention.register()
    torch.manual_seed(spec.seed)
    base = _tokenizer(spec, folder)
    tokens = prepare(table, folder / "tokens", base, max_length=spec.max_length, processes=spec.processes)
    answers = Answers(tokens, taught_by(table, tokens, spec))
    model = _student(spec)
    method = _method(spec, answers, model, AutoTokenizer.from_pretrained(base))
    began = time.monotonic()
    lines = Learning(spec, model, folder).run(method, in_batches(len(answers), spec))
    model.to(torch.bfloat16 if model.device.type == "cuda" else torch.float32).save_pretrained(folder / "model")
    AutoTokenizer.from_pretrained(base).save_pretrained(folder / "model")
    with whole(folder / "result.json") as draft:
        draft.write_text(json.dumps(_outcome(tokens, answers, model, lines, time.monotonic() - began), indent=1))


def _tokenizer(spec: Distillation, folder: Path) -> Path:
    """The folder of the student's tokenizer, with the template that it is trained and served with."""
    base = folder / "base"
    if not (base / "tokenizer_config.json").exists():
        tokenizer = AutoTokenizer.from_pretrained(spec.student, revision=spec.revision or "main")
        if (template := training_template(tokenizer)) is not None:
            tokenizer.chat_template = template
        tokenizer.save_pretrained(base)
    return base


def _student(spec: Distillation) -> Any:
    model: Any = AutoModelForCausalLM.from_pretrained(
        spec.student, revision=spec.revision or "main", attn_implementation=attention.NAME, dtype=torch.float32
    )
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # what samples and what learns must be one policy
    if spec.checkpointing:
        model.gradient_checkpointing_enable()
    return model.to("cuda" if torch.cuda.is_available() else "cpu").train()


def _method(spec: Distillation, answers: Answers, model: Any, tokenizer: Any) -> Method:
    """The distillation, its teachers loaded and found to have the student's tokens."""
    known = len(tokenizer)
    endings = {tokenizer.eos_token_id} | (answers.endings() & set(tokenizer.all_special_ids))
    sampler = Sampler(
        model, temperature=spec.temperature, endings=endings - {None}, known=known, at_once=spec.sampled_at_once
    )
    capacity = spec.tokens_at_once or spec.max_length
    teachers: dict[str, Any] = {}
    made: dict[Any, Any] = {}
    for name, each in spec.all_teachers().items():
        if name not in answers.counts():
            continue
        if each not in made:
            made[each] = (
                ServedTeacher(each, name)
                if each.base_url is not None
                else LoadedTeacher(each, name, device=model.device, known=known, capacity=capacity)
            )
            made[each].check(tokenizer, min(spec.max_length, answers.longest(spec.max_tokens)))
        teachers[name] = made[each]
    histories = Histories(answers, sampler, spec)
    if isinstance(spec, Gkd):
        return GkdMethod(spec, histories, teachers, known)
    assert isinstance(spec, OnPolicy)
    return OnPolicyMethod(spec, histories, teachers, known)


def _outcome(tokens: Tokens, answers: Answers, model: Any, lines: list[Facts], seconds: float) -> Facts:
    return {
        **tokens.facts,
        "answers": answers.counts(),
        "answers_without_history": answers.unasked,
        "steps": len(lines),
        "answer_tokens": sum(line["answer_tokens"] for line in lines),
        "first_reverse_kl": lines[0]["reverse_kl"],
        "last_reverse_kl": lines[-1]["reverse_kl"],
        "seconds": round(seconds, 1),
        "weights": sum(parameter.numel() for parameter in model.parameters()),
    }


if __name__ == "__main__":
    main()
