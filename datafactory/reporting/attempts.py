"""The attempts of a run for its page: a row in columns for every one, the conversations as far as a budget allows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from datafactory.errors import StorageError, boundary
from datafactory.reporting.packing import Chunks
from datafactory.storage import RECORDS, REJECTED, RunFolder, StageFolder, is_task
from datafactory.table import read_rows

TEXT_BYTES = 48_000_000
"""Characters of conversations in a page: some 10 MB of file, since transcripts pack about six to one."""
MESSAGE = 20_000
"""Characters of one message that are shown; what lies between its first and last half is left out, and said so."""
PROMPT = 240
"""Characters of an instruction that the list can be searched by."""
SHAPE = ("task", "attempt", "reward", "turns", "chars", "tokens", "seconds", "stop", "teacher", "fate", "chunk", "slot")
"""The columns of rows. `reward` is null without a verdict; `fate` is -1 while nothing was selected, 0 for kept, else
one more than the place of the filter that dropped it; `chunk` is -1 where the conversation is not in the page."""


class Words:
    """Numbers for words that come again and again, in the order in which they first came."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, word: str) -> int:
        """The word's number, from 0."""
        return self._places.setdefault(word, len(self._places))

    def list(self) -> list[str]:
        """The words, by number."""
        return list(self._places)


@dataclass
class Attempts:
    """What a page holds of a run's attempts."""

    tasks: dict[str, list[Any]]
    """By column: `id`, `domain`, `generator`, `prompt` and `skills`, words as their numbers."""
    rows: dict[str, list[Any]]
    """By column: `SHAPE`."""
    words: dict[str, list[str]]
    """For `domain`, `generator`, `skill`, `stop`, `teacher` and `filter`."""
    shown: int = 0
    """Attempts whose conversation is in the page."""
    chunks: list[str] = field(default_factory=list)
    """Conversations, some hundred kilobytes a chunk, packed by `packing.pack`."""

    @property
    def index(self) -> dict[str, Any]:
        """All but the conversations, as JSON."""
        return {"tasks": self.tasks, "rows": self.rows, "words": self.words, "shown": self.shown}


def read_attempts(run: RunFolder, *, text_bytes: int = TEXT_BYTES) -> Attempts:
    """Every attempt of the last stage that holds attempts one by one, or of the first table. Conversations are taken in
    the order of a hash of their ids until `text_bytes` characters are full: a sample that is the same each time."""
    stage = _stage(run)
    made = Attempts({}, {name: [] for name in SHAPE}, {})
    if stage is None:
        return made
    sizes = _count(made, stage, _fates(run), _prompts(run))
    chosen = _sample(sizes, text_bytes)
    chunks = Chunks()
    wanted = {id: place for place, (id, _) in enumerate(sizes) if id in chosen}
    reasons = _reasons(run, chosen)
    for row in _attempts(stage):
        place = wanted.pop(_key(row), None)
        if place is not None:
            told = conversation(row, reasons.get(sizes[place][0], ""))
            made.rows["chunk"][place], made.rows["slot"][place] = chunks.add(told)
    made.chunks, made.shown = chunks.done(), len(chosen)
    return made


def conversation(row: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """What the reader shows of one attempt; `reason`: why a filter dropped it."""
    verdict = row.get("verdict") or {}
    return {
        "messages": [_message(message) for message in row["messages"]],
        "checks": [
            {"name": check["name"], "outcome": check["outcome"]}
            for check in verdict.get("checks") or row.get("checks") or ()
        ],
        "scores": [dict(score, note=_cut(score.get("note") or "")) for score in row.get("scores") or ()],
        "reason": _cut(reason),
    }


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    made = {"role": message["role"], "content": _cut(message.get("content") or "")}
    if thought := message.get("reasoning_content"):
        made["thought"] = _cut(thought)
    if calls := message.get("tool_calls"):
        made["calls"] = [_call(call) for call in calls]
    if fault := message.get("fault"):
        made["fault"] = _cut(fault)
    return made


def _call(call: Mapping[str, Any]) -> list[str]:
    from datafactory.table.text import json_text

    said = call.get("function") or call
    arguments = said.get("arguments", {})
    return [str(said.get("name", "")), _cut(arguments if isinstance(arguments, str) else json_text(arguments))]


def _cut(text: str) -> str:
    if len(text) <= MESSAGE:
        return text
    half = MESSAGE // 2
    return f"{text[:half]}\n\n[{len(text) - 2 * half:,} characters left out of this page]\n\n{text[-half:]}"


def _stage(run: RunFolder) -> StageFolder | None:
    for stage in reversed(run.stages):
        if (stage.path / RECORDS).exists() and next(_attempts(stage), None) is not None:
            return stage
    for stage in run.stages:
        if stage.table.exists() and next(_attempts(stage), None) is not None:
            return stage
    return None


def _attempts(stage: StageFolder) -> Iterator[Mapping[str, Any]]:
    rows = stage.records() if (stage.path / RECORDS).exists() else read_rows(stage.table)
    for row in rows:
        if not all(key in row for key in ("task_id", "attempt", "messages", "stop")):
            return
        yield row


def _key(row: Mapping[str, Any]) -> str:
    """The attempt's id; rows that were gathered may have one that tells them apart."""
    return str(row.get("id") or f"{row['task_id']}/{row['attempt']}")


def _count(
    made: Attempts, stage: StageFolder, fates: dict[str, str] | None, prompts: Mapping[str, str]
) -> list[tuple[str, int]]:
    """Fill the columns; gives every attempt's id and its characters."""
    words = {name: Words() for name in ("domain", "generator", "skill", "stop", "teacher", "filter")}
    tasks: dict[str, int] = {}
    made.tasks = {name: [] for name in ("id", "domain", "generator", "prompt", "skills")}
    made.rows = {name: [] for name in SHAPE}
    sizes = []
    for row in _attempts(stage):
        id = _key(row)
        task = id.removesuffix(f"/{row['attempt']}")  # tells tasks of several sources apart, where their ids are
        if task not in tasks:
            tasks[task] = len(tasks)
            _add_task(made.tasks, task, row, words, prompts)
        chars = sum(len(m.get("content") or "") + len(m.get("reasoning_content") or "") for m in row["messages"])
        fate = -1 if fates is None or id not in fates else 0
        if fates is not None and fates.get(id):
            fate = 1 + words["filter"].place(fates[id])
        cells = (
            tasks[task],
            row["attempt"],
            _reward(row),
            sum(m["role"] == "assistant" for m in row["messages"]),
            chars,
            row.get("student_tokens"),
            round(row.get("seconds") or 0.0, 1),
            words["stop"].place(row["stop"] or "unknown"),
            words["teacher"].place(row.get("teacher") or "unknown"),
            fate,
            -1,
            0,
        )
        for name, cell in zip(SHAPE, cells, strict=True):
            made.rows[name].append(cell)
        sizes.append((id, min(chars, MESSAGE * len(row["messages"]))))
    made.words = {name: found.list() for name, found in words.items()}
    return sizes


def _add_task(
    tasks: dict[str, list[Any]],
    id: str,
    row: Mapping[str, Any],
    words: Mapping[str, Words],
    prompts: Mapping[str, str],
) -> None:
    tasks["id"].append(id)
    tasks["domain"].append(words["domain"].place(row.get("domain") or "none"))
    tasks["generator"].append(words["generator"].place(row.get("generator") or "unknown"))
    tasks["prompt"].append((prompts.get(row["task_id"]) or row.get("instruction") or "")[:PROMPT])
    tasks["skills"].append([words["skill"].place(skill) for skill in row.get("skills") or ()])


def _prompts(run: RunFolder) -> dict[str, str]:
    """The instructions of the run's own tasks, by task; rows of a table say theirs themselves."""
    found: dict[str, str] = {}
    for stage in run.stages:
        for row in stage.records() if (stage.path / RECORDS).exists() else ():
            if not is_task(row):
                break
            found[row["id"]] = str(row.get("prompt", ""))[:PROMPT]
    return found


def _reward(row: Mapping[str, Any]) -> float | None:
    verdict = row.get("verdict")
    found = verdict["reward"] if verdict else row.get("reward")
    return None if found is None else round(float(found), 4)


def _sample(sizes: list[tuple[str, int]], budget: int) -> set[str]:
    if sum(size for _, size in sizes) <= budget:
        return {id for id, _ in sizes}
    chosen = set()
    for id, size in sorted(sizes, key=lambda item: hashlib.blake2b(item[0].encode(), digest_size=8).digest()):
        budget -= size
        if budget < 0:
            break
        chosen.add(id)
    return chosen


def _fates(run: RunFolder) -> dict[str, str] | None:
    """For each attempt that was selected or dropped: the filter that dropped it, or nothing; None: none was yet."""
    import polars as pl

    fates: dict[str, str] | None = None
    for stage in run.stages:
        dropped = stage.table.with_name(REJECTED)
        if not dropped.exists() or not stage.table.exists():
            continue
        fates = fates or {}
        with boundary(StorageError, f"reading {stage.path}"):
            fates |= dict.fromkeys(pl.scan_parquet(stage.table).select("id").collect()["id"].to_list(), "")
            fates |= dict(pl.scan_parquet(dropped).select("id", "filter").collect().iter_rows())
    return fates


def _reasons(run: RunFolder, ids: set[str]) -> dict[str, str]:
    import polars as pl

    found: dict[str, str] = {}
    for stage in run.stages:
        dropped = stage.table.with_name(REJECTED)
        if dropped.exists():
            with boundary(StorageError, f"reading {dropped}"):
                rows = pl.scan_parquet(dropped).select("id", "reason").collect()
            found |= {id: reason for id, reason in rows.iter_rows() if id in ids}
    return found
