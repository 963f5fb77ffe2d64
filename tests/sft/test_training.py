"""A student learns from packs what it would learn from rows, and goes on where it was stopped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from datafactory.errors import DataError, RunError
from datafactory.table import COLUMNS, RANK, write_parquet
from sft.data import prepare
from sft.scratch import Scratch
from sft.starting import whole_recipe
from sft.trl import Lora, Trl

pytestmark = [pytest.mark.train, pytest.mark.slow]

SHAPE = Scratch(layers=2, hidden=32, heads=4, key_heads=2, vocabulary=400, longest=512)


def rows(count: int) -> list[dict[str, Any]]:
    """Small talk in which the answer follows from the question."""
    made = []
    for number in range(count):
        asked = {"role": "user", "content": f"count to {number % 7} " + "please " * (number % 5)}
        said = {"role": "assistant", "content": " ".join(map(str, range(number % 7)))}
        again = [{"role": "user", "content": "again"}, said] if number % 3 == 0 else []
        made.append(
            {"id": f"t{number:03}/0", "task_id": f"t{number:03}", "attempt": 0, "messages": [asked, said, *again]}
        )
    return made


def table(path: Path, made: list[dict[str, Any]]) -> Path:
    marked = [
        {
            **row,
            "rank": rank,
            "tools": [],
            "train_turns": [message["role"] == "assistant" for message in row["messages"]],
        }
        for rank, row in enumerate(made)
    ]
    write_parquet(marked, path, (*COLUMNS, RANK), key=None)
    return path


def trainer(**more: Any) -> Trl:
    return Trl.model_validate(
        {
            "scratch": SHAPE,
            "max_length": 128,
            "epochs": 6,
            "save_every": 4,
            "batch": 2,
            "learning_rate": 3e-3,
            "processes": 1,
            **more,
        }
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    asyncio.run(trainer().train(table(folder / "rows.parquet", rows(60)), folder / "out"))
    return folder / "out"


def test_a_student_from_scratch_learns_and_is_a_model_that_can_be_loaded(whole: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    result = json.loads((whole / "result.json").read_text())
    assert result["rows"] == 60 and result["steps"] == -(-result["packs"] * 6 // 2)
    assert result["last_loss"] < 0.6 * result["first_loss"]
    steps = [json.loads(line) for line in (whole / "steps.jsonl").read_text().splitlines()]
    assert steps[-1]["step"] == result["steps"] and steps[-1]["tokens_per_second"] > 0
    model = AutoModelForCausalLM.from_pretrained(whole / "model")
    tokenizer = AutoTokenizer.from_pretrained(whole / "model")
    assert model.config.vocab_size == len(tokenizer) and "assistant" in tokenizer.chat_template


def test_a_pack_gives_each_row_the_logits_that_it_has_alone(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from sft.training import attention
    from sft.training.batches import Packs, collate

    SHAPE.make(rows(20), tmp_path / "base", seed=1)
    source = table(tmp_path / "rows.parquet", rows(6))
    tokens = prepare(source, tmp_path / "tokens", tmp_path / "base", max_length=128)
    packs = Packs(tokens, [[0, 1, 2], [3, 4, 5]])
    attention.register()
    ours = AutoModelForCausalLM.from_pretrained(tmp_path / "base", attn_implementation=attention.NAME)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "base", attn_implementation="sdpa")
    flat = collate([packs[0], packs[1]])
    labels = flat.pop("labels")
    with torch.no_grad():
        together = ours(**flat, use_cache=False).logits[0]
        bounds = flat["cu_seq_lens_q"].tolist()
        for start, end in pairwise(bounds):
            alone = plain(input_ids=flat["input_ids"][:, start:end]).logits[0]
            assert torch.allclose(together[start:end], alone, atol=1e-5)
    told = AutoTokenizer.from_pretrained(tmp_path / "base").decode(labels[labels != -100])
    assert told.count("<|im_end|>") == sum(len(row["messages"]) // 2 for row in rows(6))


async def test_lora_trains_beside_the_weights_and_is_merged_into_them(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    made = trainer(lora=Lora(rank=4), epochs=1)
    await made.train(table(tmp_path / "rows.parquet", rows(24)), tmp_path / "out")
    before = AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "base").state_dict()
    after = AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "model").state_dict()
    assert before.keys() == after.keys(), "no matrices of LoRA's are left in the model"
    changed = {name for name in before if not before[name].equal(after[name])}
    assert changed and not any("embed" in name or "norm" in name for name in changed)


async def test_a_training_that_was_killed_goes_on_from_its_last_checkpoint(tmp_path: Path, whole: Path) -> None:
    source, folder = table(tmp_path / "rows.parquet", rows(60)), tmp_path / "killed"
    code = "import asyncio, sys; from pathlib import Path; from sft.trl import Trl; spec, *paths = sys.argv[1:]; "
    code += "asyncio.run(Trl.model_validate_json(spec).train(*map(Path, paths)))"
    command = [sys.executable, "-c", code, json.dumps(whole_recipe(trainer())), str(source), str(folder)]
    program = subprocess.Popen(command, start_new_session=True)
    while not list(folder.glob("checkpoints/*/trainer_state.json")):
        assert program.poll() is None, "it ended before it was killed"
        await asyncio.sleep(0.02)
    os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    again, uncut = (await trainer().train(source, folder)).facts, json.loads((whole / "result.json").read_text())
    assert (again["steps"], again["rows"]) == (uncut["steps"], uncut["rows"])
    assert again["last_loss"] == pytest.approx(uncut["last_loss"], rel=1e-3)
    seen = [json.loads(line)["step"] for line in (folder / "steps.jsonl").read_text().splitlines()]
    assert len(seen) < 1.6 * uncut["steps"], "what was learned before was kept"


def test_rows_that_teach_nothing_are_refused_and_listed(tmp_path: Path) -> None:
    SHAPE.make(rows(20), tmp_path / "base", seed=1)
    silent = {"id": "s/0", "task_id": "s", "attempt": 0, "messages": [{"role": "user", "content": "hello"}]}
    source = table(tmp_path / "rows.parquet", [*rows(3), silent])
    tokens = prepare(source, tmp_path / "tokens", tmp_path / "base", max_length=128)
    assert len(tokens) == 3 and tokens.facts["refused"] == {"no answer of the row carries loss": 1}
    assert json.loads((tmp_path / "tokens" / "refused.jsonl").read_text())["id"] == "s/0"
    with pytest.raises(DataError, match="no row can be trained on: 1 × no answer"):
        prepare(table(tmp_path / "silent.parquet", [silent]), tmp_path / "none", tmp_path / "base", max_length=128)


async def test_a_training_that_fails_shows_the_end_of_its_log(tmp_path: Path) -> None:
    made = Trl(student=str(tmp_path / "nowhere"), processes=1)
    with pytest.raises(RunError, match=r"(?s)training ended with status 1.*nowhere"):
        await made.train(table(tmp_path / "rows.parquet", rows(3)), tmp_path / "out")
