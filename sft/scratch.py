"""A student from nothing, for machines that cannot download one: its tokenizer and weights are made on the spot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

END, OPEN, PAD = "<|im_end|>", "<|im_start|>", "<|endoftext|>"
TAGS = ("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
"""Marks that Qwen3's template writes; each is one token."""
_WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+"
"""Words, single digits, and runs of marks, about as Qwen splits text."""
_READ = 20_000
"""Rows that the tokenizer learns from."""


class Scratch(BaseModel):
    """The shape of a Qwen3 whose weights are drawn at random."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    layers: int = Field(default=4, ge=1)
    """Transformer blocks."""
    hidden: int = Field(default=256, ge=8)
    """Width; the feed-forward part is three times as wide."""
    heads: int = Field(default=4, ge=1)
    """Attention heads."""
    key_heads: int | None = Field(default=None, ge=1)
    """Heads of keys and values (grouped-query attention); left out: as many as `heads`."""
    vocabulary: int = Field(default=4096, ge=300)
    """Tokens, learned from the rows (byte-level BPE)."""
    longest: int = Field(default=8192, ge=1)
    """Positions that the model says it was made for."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.hidden % self.heads:
            raise ValueError(f"hidden ({self.hidden}) must be a multiple of heads ({self.heads})")
        if self.heads % (self.key_heads or self.heads):
            raise ValueError(f"heads ({self.heads}) must be a multiple of key_heads ({self.key_heads})")
        return self

    def make(self, rows: Iterable[Mapping[str, Any]], folder: Path, *, seed: int) -> None:
        """Learn a tokenizer from the first rows, draw the weights, and save both as a model that can be loaded."""
        tokenizer = self.tokenizer(rows)
        tokenizer.save_pretrained(folder)
        self.model(tokenizer, seed=seed).save_pretrained(folder)

    def tokenizer(self, rows: Iterable[Mapping[str, Any]]) -> Any:
        """A byte-level BPE with Qwen3's training template, learned from what is said in rows."""
        from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
        from transformers import PreTrainedTokenizerFast
        from trl.chat_template_utils import qwen3_training_chat_template

        raw = Tokenizer(models.BPE())
        raw.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_WORDS), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        raw.decoder = decoders.ByteLevel()
        learning = trainers.BpeTrainer(
            vocab_size=self.vocabulary - len(TAGS),
            special_tokens=[PAD, OPEN, END],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        raw.train_from_iterator(_texts(rows), learning)
        raw.add_tokens([AddedToken(tag, normalized=False) for tag in TAGS])
        made: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
            tokenizer_object=raw,
            eos_token=END,
            pad_token=PAD,
            additional_special_tokens=[OPEN],
            chat_template=qwen3_training_chat_template,
            model_max_length=self.longest,
        )
        made.clean_up_tokenization_spaces = False
        return made

    def model(self, tokenizer: Any, *, seed: int) -> Any:
        """A Qwen3 with random weights, the same ones for the same seed."""
        import torch
        from transformers import Qwen3Config, Qwen3ForCausalLM

        torch.manual_seed(seed)
        return Qwen3ForCausalLM(
            Qwen3Config(
                vocab_size=len(tokenizer),
                hidden_size=self.hidden,
                intermediate_size=3 * self.hidden,
                num_hidden_layers=self.layers,
                num_attention_heads=self.heads,
                num_key_value_heads=self.key_heads or self.heads,
                head_dim=self.hidden // self.heads,
                max_position_embeddings=self.longest,
                tie_word_embeddings=True,
                bos_token_id=None,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
        )


def _texts(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What stands in messages, tool schemas and calls, once each in a row of equal ones."""
    import json
    from itertools import islice

    seen: set[int] = set()
    for row in islice(rows, _READ):
        for value in (*row["messages"], *(row.get("tools") or ())):
            text = json.dumps(value, ensure_ascii=False)
            if hash(text) not in seen:
                seen.add(hash(text))
                yield str(value.get("content") or text)
                if value.get("tool_calls"):
                    yield json.dumps([call["function"] for call in value["tool_calls"]], ensure_ascii=False)
