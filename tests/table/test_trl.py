"""TRL's SFTTrainer takes the dataset as it lies on disk."""

import importlib.resources
import os

import pytest

from datafactory.table import row, write_parquet

os.environ["HF_HUB_OFFLINE"] = "1"

pytestmark = [pytest.mark.train, pytest.mark.slow]

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<tool_call>", "</tool_call>"]


@pytest.fixture
def tokenizer():
    """A byte-level BPE of a few hundred tokens that speaks Qwen3's chat template, tools included."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet)
    raw.train_from_iterator(["Count the lines of the file. user assistant system tool"], trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    made.chat_template = (importlib.resources.files("trl") / "chat_templates" / "qwen3.jinja").read_text()
    return made


@pytest.mark.parametrize("dialect", ["text", "tools"])
def test_a_tiny_qwen3_trains_on_the_dataset(attempt, tokenizer, tmp_path, dialect):
    import datasets
    from transformers import Qwen3Config, Qwen3ForCausalLM
    from trl import SFTConfig, SFTTrainer

    write_parquet([row(*attempt(f"t-{i}", dialect=dialect)) for i in range(4)], tmp_path / "d.parquet")
    rows = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "d.parquet"), split="train", cache_dir=str(tmp_path / "cache")
    )
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "head_dim": 16}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1}
    config = Qwen3Config(vocab_size=len(tokenizer), max_position_embeddings=2048, **shape, **heads)
    settings = SFTConfig(
        output_dir=str(tmp_path / "out"),
        max_steps=2,
        per_device_train_batch_size=2,
        learning_rate=1e-2,
        max_length=2048,
        assistant_only_loss=True,
        logging_steps=1,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        bf16=False,
    )
    trainer = SFTTrainer(Qwen3ForCausalLM(config), args=settings, train_dataset=rows, processing_class=tokenizer)
    (batch,) = [next(iter(trainer.get_train_dataloader()))]
    taught = tokenizer.decode(batch["labels"][0][batch["labels"][0] != -100])
    seen = tokenizer.decode(batch["input_ids"][0])
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]

    assert len(losses) == 2 and losses[1] < losses[0]
    assert "Count the lines" in seen and "Count the lines" not in taught
    if dialect == "tools":
        assert '"description": "Run a command"' in seen
        assert '"arguments": {"command": "wc -l /app/in.txt", "limits": {"s": 3}}' in taught
        assert "null" not in seen and "None" not in seen
    else:
        assert '{"commands": []}' in taught
