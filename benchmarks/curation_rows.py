"""Makes synthetic rows of the dataset in which duplicates, overlaps, leaks and secrets are planted, and known."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from datafactory.table import RowWriter
from datafactory.types import DOMAINS

WORDS, LINES = 1_180, 10
"""Words in a conversation, which make 8 KB, and words in a line."""
EXACT, NEAR = 0.02, 0.05
"""Shares of rows that repeat an earlier row, and that resemble one."""
LIKENESS = (0.95, 0.9, 0.85, 0.7, 0.5)
"""Jaccard indices that are planted, by turns; the last two are under the threshold and should stay."""
ODD = 0.001
"""Share of rows for each of the other plants."""
SHINGLE = 5

_LETTERS = "etaoinshrdlucmfwypvbgkqjxz"
_ENGLISH = ("the", "a", "of", "to", "and", "in", "is", "run", "file", "line", "set", "get", "list", "test", "path")
PLANTS: dict[str, str] = {
    "teacher_identity": "I am Qwen, a large language model created by Alibaba Cloud.",
    "foreign_script": "请检查文件的内容并运行测试以确认结果是否正确。" * 6,
    "secrets": "AWS_ACCESS_KEY_ID=AKIAQ3EGVZ5XPL7WTR2N AWS_SECRET_ACCESS_KEY=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",
    "personal_data": "Write to margaret.holloway@brightwater-clinic.org or call +1 415 555 2671.",
    "repetition": "Let me try that once more and look at the result again.\n" * 40,
}


def vocabulary(rng: random.Random, size: int = 20_000) -> tuple[list[str], list[float]]:
    """Words, and how often they come, cumulated: the n-th about 1/n (Zipf's law)."""
    words = dict.fromkeys(_ENGLISH)
    while len(words) < size:
        words["".join(rng.choices(_LETTERS, k=rng.randint(3, 10)))] = None
    weights, total = [], 0.0
    for place in range(size):
        total += 1 / (place + 3)
        weights.append(total)
    return list(words), weights


class Rows:
    """Rows of an agent at work, each about 8 KB of messages; what is planted is noted in `planted`."""

    def __init__(self, count: int, seed: int, questions: list[str] | None = None) -> None:
        self.count, self._rng = count, random.Random(seed)
        self._words, weights = vocabulary(self._rng)
        self._weights, self._numbers = np.array(weights), np.random.default_rng(seed)
        self._questions = questions or []
        self._early: list[tuple[str, list[str], str]] = []
        self.planted: dict[str, dict[str, Any]] = {}
        """By id: which `plant` it is; of duplicates the `like` row and the planted `likeness`."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number in range(self.count):
            yield self._row(number)

    def _row(self, number: int) -> dict[str, Any]:
        rng, task, attempt = self._rng, f"task-{number // 4:07d}", number % 4
        id, extra, drawn = f"{task}/{attempt}", "", rng.random()
        words = self._drawn(WORDS)
        prompt = " ".join(words[:60])
        if drawn < EXACT + NEAR and self._early:
            like, words, extra = rng.choice(self._early)
            likeness = 1.0 if drawn < EXACT else LIKENESS[len(self.planted) % len(LIKENESS)]
            words = self._changed(words, likeness)
            self.planted[id] = {"plant": "duplicate", "like": like, "likeness": likeness}
        elif number % 10 == 0 and len(self._early) < 50_000:
            self._early.append((id, words, ""))
        elif (kind := int((drawn - EXACT - NEAR) / ODD)) < len(PLANTS):
            name = list(PLANTS)[kind]
            extra, self.planted[id] = PLANTS[name], {"plant": name}
        elif kind == len(PLANTS) and self._questions:
            which = rng.randrange(len(self._questions))
            extra, self.planted[id] = self._questions[which], {"plant": "decontaminate", "question": which}
        return self._columns(id, task, attempt, prompt, words, extra)

    def _changed(self, words: list[str], likeness: float) -> list[str]:
        """The words with one run replaced, as long as it must be for that Jaccard index of 5-word shingles."""
        if likeness == 1.0:
            return words
        shingles = WORDS - SHINGLE + 1
        run = max(1, round(shingles * (1 - likeness) / (1 + likeness)) - SHINGLE + 1)
        at = self._rng.randrange(SHINGLE, WORDS - run - SHINGLE)
        return words[:at] + self._drawn(run) + words[at + run :]

    def _drawn(self, count: int) -> list[str]:
        places = np.searchsorted(self._weights, self._numbers.random(count) * self._weights[-1])
        return [self._words[place] for place in places.tolist()]

    def _columns(self, id: str, task: str, attempt: int, prompt: str, words: list[str], extra: str) -> dict[str, Any]:
        messages = _talk(words, extra)
        text = orjson.dumps(messages)
        turns = sum(message["role"] == "assistant" for message in messages)
        solved = self._rng.random() < 0.6
        return {
            "id": id, "task_id": task, "attempt": attempt, "instruction": prompt,
            "domain": DOMAINS[int(task[-7:]) % len(DOMAINS)],
            "skills": ["find", "sort"], "difficulty": "medium", "generator": "synthetic", "teacher": "synthetic",
            "agent": "tools", "model": "synthetic", "license": "CC0-1.0", "repo": "", "instance_id": "",
            "messages": messages, "tools": [], "stop": "submitted", "violations": [], "checks": [], "held_out": [],
            "train_turns": [message["role"] == "assistant" for message in messages],
            "reward": float(solved), "solved": solved, "resolved": int(solved),
            "corpus": "", "answers": [], "evidence": [], "found": [], "visited": [], "scores": [],
            "n_turns": turns, "n_messages": len(messages), "n_faults": 0, "n_chars": len(text),
            "prompt_tokens": 0, "completion_tokens": len(text) // 4, "student_tokens": len(text) // 4, "seconds": 1.0,
            "content_hash": hashlib.sha256(text).hexdigest()[:32], "task": "{}", "task_digest": task,
            "lineage": {},
        }  # fmt: skip


def _talk(words: list[str], extra: str) -> list[dict[str, Any]]:
    """An instruction, then four commands with what they print, and an answer."""
    lines = [" ".join(words[at : at + LINES]) for at in range(0, len(words), LINES)]
    share = len(lines) // 6
    messages: list[dict[str, Any]] = [{"role": "user", "content": "\n".join(lines[:share])}]
    for turn in range(1, 5):
        part = lines[turn * share : (turn + 1) * share]
        call = {"name": "bash", "arguments": {"command": part[1]}}
        calls = [{"id": f"call_{turn}", "type": "function", "function": call}]
        messages.append({"role": "assistant", "content": part[0], "tool_calls": calls})
        messages.append({"role": "tool", "content": "\n".join(part[2:]), "tool_call_id": f"call_{turn}"})
    messages.append({"role": "assistant", "content": "\n".join([*lines[5 * share :], extra])})
    return messages


def questions_of(file: Path) -> list[str]:
    """The questions of a benchmark: the longest text in each line of a file of JSON objects."""
    texts = ((v for v in json.loads(line).values() if isinstance(v, str)) for line in file.read_text().splitlines())
    return [max(each, key=len) for each in texts]


def make(path: Path, count: int, seed: int = 7, benchmark: Path | None = None) -> None:
    """Write the rows to `path`, and beside it what was planted (`.planted.json`); leaves what is there as it is."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = Rows(count, seed, questions_of(benchmark) if benchmark else None)
    with RowWriter(path) as writer:
        for row in rows:
            writer.write(row)
    path.with_suffix(".planted.json").write_text(json.dumps(rows.planted))
