"""Students for the agent's tests: tokenizers trained on the spot, and chat templates that grow, rewrite or refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datafactory.agent import Student

CHATML = """{%- if tools %}<|im_start|>tools
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{% if message.reasoning_content %}<think>{{ message.reasoning_content }}</think>
{% endif %}{{ message.content }}
{%- for call in message.tool_calls or [] %}
<tool_call>{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}</tool_call>
{%- endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
"""Only grows."""

FORGETFUL = CHATML.replace(
    "{%- for message in messages %}",
    """{%- set place = namespace(asked=-1) %}
{%- for message in messages %}{% if message.role == 'user' %}{% set place.asked = loop.index0 %}{% endif %}{% endfor %}
{%- for message in messages %}""",
).replace("{% if message.reasoning_content %}", "{% if message.reasoning_content and loop.index0 > place.asked %}")
"""Drops the thoughts before the last question, as Qwen3's does."""

PLAIN = """{% for message in messages %}{{ message.role | upper }}: {{ message.content }}
{% for call in message.tool_calls or [] %}CALL {{ call.function.arguments | tojson }}
{% endfor %}{% endfor %}"""
"""Has no special tokens at all."""

STRICT = CHATML.replace(
    "{%- for message in messages %}",
    """{%- for message in messages %}{% if (message.tool_calls or []) | length > 1 %}
{{- raise_exception('one call at a time') }}{% endif %}""",
)
"""Refuses turns of several calls, as Llama 3.1's does."""

WORDS = "user assistant system tool bash command echo zebra Current Terminal Screen New Output task_complete plan ls"


def tokenizer(template: str | None, *, kind: str = "bytes", odd: bool = False) -> Any:
    """A BPE of some hundred tokens; `kind`: `bytes` (as Qwen's), or `spaces` (Metaspace, as Llama 2's). With `odd`, its
    special tokens take in the space around them."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE(unk_token="<unk>"))
    if kind == "bytes":
        raw.pre_tokenizer, raw.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    else:
        raw.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
        alphabet = [chr(code) for code in range(32, 127)] + ["\n", "▁"]
    trainer = trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=alphabet, special_tokens=["<unk>"], show_progress=False
    )
    raw.train_from_iterator([WORDS] * 3, trainer)
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<tool_call>", "</tool_call>"]
    raw.add_special_tokens([AddedToken(name, lstrip=odd, rstrip=odd, normalized=False) for name in names])
    raw.enable_truncation(16)  # as some tokenizers are published; it must not cut what is counted
    made = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    made.chat_template = template
    return made


def student(folder: Path, template: str | None = CHATML, *, max_length: int = 2000, **more: Any) -> Student:
    """A student whose tokenizer lies in a folder, as one that was downloaded."""
    tokenizer(template).save_pretrained(folder)
    return Student(tokenizer=str(folder), max_length=max_length, **more)
