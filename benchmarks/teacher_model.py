"""A model folder without weights, of a real shape: for vLLM's dummy weights, where no real ones can be had.

    python benchmarks/teacher_model.py --shape 0.6b --out FOLDER

The vocabulary is made up but as large as the real one, so that the last layer costs what it costs.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

SHAPES: dict[str, dict[str, Any]] = {
    "tiny": {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4},
    "0.6b": {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16},
    "8b": {"hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36, "num_attention_heads": 32},
}
"""Of Qwen3's published configurations; `tiny` is for trying this out on a CPU."""
VOCABULARY = {"tiny": 8192, "0.6b": 151_936, "8b": 151_936}
LETTERS = "etaoinshrdlucmwfgypbvkxjqz"
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def vocabulary(size: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Tokens and merges of a byte-level BPE: all bytes, then pairs of letters, triples and so on."""
    from tokenizers.pre_tokenizers import ByteLevel

    tokens = sorted(ByteLevel.alphabet())
    merges: list[tuple[str, str]] = []
    known = set(tokens)
    shorter = ["Ġ", *LETTERS]
    for _ in range(4):
        longer = []
        for left, right in itertools.product(shorter, LETTERS):
            if len(tokens) + len(SPECIAL) == size:
                break
            if left + right not in known:
                known.add(left + right)
                tokens.append(left + right)
                merges.append((left, right))
                longer.append(left + right)
        shorter = longer
    return {token: number for number, token in enumerate(tokens)}, merges


def write_tokenizer(folder: Path, size: int) -> None:
    """`tokenizer.json` and `tokenizer_config.json` of `size` tokens."""
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.decoders import ByteLevel as Decoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel

    tokens, merges = vocabulary(size)
    tokenizer = Tokenizer(BPE(tokens, merges))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = Decoder()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.save(str(folder / "tokenizer.json"))
    said = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "chat_template": TEMPLATE,
        "model_max_length": 40_960,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(said, indent=2))


def write_model(folder: Path, shape: str) -> Path:
    """The folder, as `vllm serve --load-format dummy` takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    size = VOCABULARY[shape]
    write_tokenizer(folder, size)
    sizes = SHAPES[shape]
    made = {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        **sizes,
        "num_key_value_heads": min(8, sizes["num_attention_heads"]),
        "head_dim": 128 if shape != "tiny" else 32,
        "hidden_act": "silu",
        "max_position_embeddings": 40_960,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1_000_000.0,
        "tie_word_embeddings": shape != "8b",
        "vocab_size": size,
        "eos_token_id": size - 1,
        "bos_token_id": None,
        "torch_dtype": "bfloat16",
        "attention_bias": False,
    }
    (folder / "config.json").write_text(json.dumps(made, indent=2))
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=sorted(SHAPES), required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    print(write_model(asked.out, asked.shape))
