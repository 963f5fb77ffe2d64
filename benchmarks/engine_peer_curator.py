"""The peer's side of the engine benchmark: bespokelabs-curator 0.1.31 answers the same questions of the same server.

Run by the Python of an environment that has curator; it imports nothing of the factory. Curator counts
tokens with a tokenizer that it would download: a stand-in that counts characters keeps the trial offline and
is cheaper than the real one, so it can only help curator.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from pathlib import Path
from typing import Any

os.environ.update(OPENAI_API_KEY="mock", TELEMETRY_ENABLED="false", CURATOR_VIEWER="0", HF_HUB_OFFLINE="1")


class FourCharacters:
    """Stands in for a tokenizer: one token for every four characters."""

    def encode(self, text: str, **_: Any) -> range:
        return range(len(text) // 4)


def question(number: int) -> str:
    """The same text for every engine."""
    return f"Question {number}: write a shell command that counts the lines of file_{number}.txt, and say how it works."


def work(folder: Path, count: int, url: str, at_once: int) -> dict[str, float]:
    """Answer `count` questions with curator's own defaults, rate limits out of the way."""
    import tiktoken

    tiktoken.get_encoding = lambda name: FourCharacters()
    from bespokelabs import curator

    class Asker(curator.LLM):  # type: ignore[misc]
        """Curator's way to ask one question a row."""

        def prompt(self, row: dict[str, Any]) -> str:
            return str(row["question"])

        def parse(self, row: dict[str, Any], answer: str) -> dict[str, Any]:
            return {"id": row["id"], "answer": answer}

    params = {
        "base_url": url,
        "max_requests_per_minute": 10_000_000,
        "max_tokens_per_minute": 10_000_000_000,
        "max_concurrent_requests": at_once,
    }
    asker = Asker(model_name="mock", backend="openai", backend_params=params)
    rows = [{"id": f"q-{number:06d}", "question": question(number)} for number in range(count)]
    started = time.monotonic()
    made = asker(rows, working_dir=str(folder / "curator"))
    seconds = time.monotonic() - started
    table = getattr(made, "dataset", made)
    (folder / "keys.txt").write_text("\n".join(table["id"]))
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {"seconds": seconds, "kept": len(table), "rss_mb": rss, "cpu_s": time.process_time()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--at-once", type=int, default=256)
    asked = parser.parse_args()
    done = work(asked.folder, asked.count, asked.url, asked.at_once)
    print("\n" + json.dumps(done))
