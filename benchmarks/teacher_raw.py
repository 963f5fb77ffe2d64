"""vLLM by itself, for the teacher benchmark: its offline `generate` on the same prompts; prints a line of JSON.

`all`: every prompt at once. `batches`: 256 at a time, the next when the last is done. `lockstep`: agents in one
batch a turn, the next when the slowest tool is done.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from teacher_traffic import Agents, Single, Texts

from datafactory.types import Message

BATCH = 256


class Raw:
    """The engine, and what it has written."""

    def __init__(self, model: Path, engine: dict[str, Any]) -> None:
        from vllm import LLM

        self._llm = LLM(model=str(model), load_format="dummy", disable_log_stats=True, **engine)
        self._tokenizer = self._llm.get_tokenizer()

    def rendered(self, messages: Sequence[Message]) -> str:
        """A conversation as the chat template shows it."""
        said = [message.wire() for message in messages]
        return str(self._tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True))

    def generate(self, prompts: Sequence[str], write: int) -> int:
        """Answers to all of them; how many tokens that was."""
        from vllm import SamplingParams

        sampling = SamplingParams(temperature=1.0, max_tokens=write, ignore_eos=True)
        outputs = self._llm.generate(list(prompts), sampling, use_tqdm=False)
        return sum(len(output.outputs[0].token_ids) for output in outputs)


def single(raw: Raw, texts: Texts, asked: Single, batch: int) -> dict[str, float]:
    """Tokens a second over all questions; rendering them is not on the clock."""
    questions = [raw.rendered(messages) for _, messages in texts.questions(asked)]
    began = time.monotonic()
    tokens = sum(
        raw.generate(questions[start : start + batch], asked.write) for start in range(0, len(questions), batch)
    )
    return _row(tokens, time.monotonic() - began)


def lockstep(raw: Raw, texts: Texts, asked: Agents) -> dict[str, float]:
    """The same over all turns of all episodes."""
    episodes = dict(texts.openings(asked))
    turns = {(key, n): texts.turn(asked, key, n) for key in episodes for n in range(asked.turns)}
    began, tokens = time.monotonic(), 0
    for number in range(asked.turns):
        tokens += raw.generate([raw.rendered(said) for said in episodes.values()], asked.write)
        for key, said in episodes.items():
            said += turns[key, number][0]
        time.sleep(max(turns[key, number][1] for key in episodes))
    return _row(tokens, time.monotonic() - began)


def _row(tokens: int, seconds: float) -> dict[str, float]:
    return {"tokens": tokens, "seconds": seconds, "tokens_per_s": tokens / seconds}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--arms", nargs="+", default=["all", "batches", "lockstep"])
    parser.add_argument("--single", type=json.loads, default={})
    parser.add_argument("--agents", type=json.loads, default={})
    parser.add_argument("--engine", type=json.loads, default={})
    asked = parser.parse_args()
    raw = Raw(asked.model, asked.engine)
    bulk, agents = Single(**asked.single), Agents(**asked.agents)
    # The first batch of a size compiles and tunes kernels for it: seconds that are nobody's.
    for warm in ("warm", "warm again"):
        single(raw, Texts(asked.model, warm), bulk, bulk.calls)
    for arm in asked.arms:
        texts = Texts(asked.model, f"raw {arm}")
        if arm == "lockstep":
            made = lockstep(raw, texts, agents)
        else:
            made = single(raw, texts, bulk, BATCH if arm == "batches" else bulk.calls)
        print(json.dumps({"arm": f"raw {arm}", **made}), flush=True)
