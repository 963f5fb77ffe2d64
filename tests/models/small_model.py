"""Makes a small Qwen3 on the spot, taught to repeat trajectories word for word; run as a program.

python small_model.py <folder of the model> <records.jsonl of trajectories>...
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

DOCUMENT, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
TEMPLATE = Path(__file__).parent / "chatml.jinja"
WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+"
"""Words, single digits and runs of marks, about as Qwen splits text. Marks of a run must stay together: a model this
small loses count of `[[`."""
VOCABULARY = 2048
LAYERS, HIDDEN, HEADS, LONGEST = 2, 128, 2, 8192
"""About 0.7 million weights; LONGEST in tokens."""
PASSES = 36
"""Over all that is to be learned."""
RATE = 4e-3
"""Of learning, at its height."""
LEARNED = 0.05
"""Mean loss, in nats a token, above which nothing would be repeated: the end of a training that went wrong."""
SEED = 1

_TIMES = re.compile(r"\b[A-Z][a-z]{2} [ \d]\d \d\d:\d\d\b|\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\b")
"""As `ls -l` and `script` write them: what another run sees otherwise."""

Conversation = dict[str, Any]
"""`messages` and `tools`, as a chat template wants them."""


def conversations(journal: Path) -> list[Conversation]:
    """What was said in each trajectory of a journal, in an order that does not depend on which ended first."""
    rows = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    rows.sort(key=lambda row: (row["task_id"], row["attempt"]))
    return [{"messages": [_wire(m) for m in row["messages"]], "tools": row["tools"] or None} for row in rows]


def _wire(message: dict[str, Any]) -> dict[str, Any]:
    calls = [{"type": "function", "function": call} for call in message.get("tool_calls") or ()]
    return {
        "role": message["role"],
        "content": message.get("content") or "",
        **({"tool_calls": calls} if calls else {}),
    }


def tokenizer_of(texts: Sequence[str]) -> Any:
    """A byte-level BPE learned from `texts`, with the ChatML template."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(WORDS), behavior="isolated")
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.pre_tokenizer = pre_tokenizers.Sequence([words, as_bytes])
    raw.decoder = decoders.ByteLevel()
    learning = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[DOCUMENT, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts, learning)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token=END, pad_token=DOCUMENT, chat_template=TEMPLATE.read_text(encoding="utf-8")
    )


def model_of(tokenizer: Any) -> Any:
    """A Qwen3 with random weights, always the same ones."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(SEED)
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=HIDDEN,
            intermediate_size=3 * HIDDEN,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            num_key_value_heads=HEADS,
            head_dim=HIDDEN // HEADS,
            max_position_embeddings=LONGEST,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def text_of(said: Conversation, tokenizer: Any) -> str:
    """The conversation as the model reads it."""
    text: str = tokenizer.apply_chat_template(said["messages"], tools=said["tools"], tokenize=False)
    return text


def at_another_time(text: str, rng: random.Random) -> str:
    """The text with the digits of each time of day and date in it drawn anew."""
    return _TIMES.sub(lambda time: re.sub(r"\d", lambda _: rng.choice("0123456789"), time.group()), text)


def taught(ids: Sequence[int], opening: Sequence[int], end: int) -> Iterator[int]:
    """Places of the tokens that an assistant said, the one that ends its turn with them."""
    speaking, width = False, len(opening)
    for at, token in enumerate(ids):
        if speaking:
            yield at
            speaking = token != end
        elif list(ids[at - width + 1 : at + 1]) == opening:
            speaking = True


def teach(model: Any, tokenizer: Any, said: Sequence[Conversation]) -> float:
    """Pass over `said` again and again, with loss on what assistants said; the mean loss of the last pass."""
    import torch

    rng, texts = random.Random(SEED), [text_of(conversation, tokenizer) for conversation in said]
    opening = tokenizer.encode(f"{START}assistant\n")
    learner = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
    steps = PASSES * len(texts)
    pace = torch.optim.lr_scheduler.LambdaLR(learner, lambda step: min((step + 1) / 10, 1 - step / steps))
    model.train()
    for number in range(PASSES):
        means = []
        for text in rng.sample(texts, len(texts)):
            ids = tokenizer.encode(at_another_time(text, rng))
            tokens, places = torch.tensor([ids]), torch.tensor(list(taught(ids, opening, tokenizer.eos_token_id)))
            # Only what is taught goes through the vocabulary: a fifth of all tokens.
            hidden = model.model(tokens).last_hidden_state[0, places - 1]
            loss = torch.nn.functional.cross_entropy(model.lm_head(hidden), tokens[0, places])
            learner.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            learner.step()
            pace.step()
            means.append(loss.item())
        print(f"pass {number + 1}: mean loss {sum(means) / len(means):.4f}", flush=True)
    return sum(means) / len(means)


def make(folder: Path, said: Sequence[Conversation]) -> None:
    """Make the model that repeats `said`, and put it with its tokenizer into `folder`. Raises SystemExit where it
    did not learn."""
    import torch

    # A second thread gains little at this size and waits for its core on a busy machine; with one, sums stay the same.
    torch.set_num_threads(1)
    began = time.monotonic()
    with_template = tokenizer_of([])
    tokenizer = tokenizer_of([text_of(conversation, with_template) for conversation in said])
    model = model_of(tokenizer)
    loss = teach(model, tokenizer, said)
    print(f"{model.num_parameters():,} weights, mean loss {loss:.4f} after {time.monotonic() - began:.0f} s")
    if loss > LEARNED:
        raise SystemExit(f"it did not learn: a mean loss of {loss:.3f}, where at most {LEARNED} will do")
    model.generation_config.do_sample = False
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]), [each for path in sys.argv[2:] for each in conversations(Path(path))])
