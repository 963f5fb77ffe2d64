"""How much of what students are measured on stands in what they were trained on."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict

from datafactory.errors import StorageError, boundary
from datafactory.holding_out import combination, combination_of
from datafactory.types import Part, Task

WORDS = 13
"""Words in a row that two prompts share by copying: GPT-3's measure (arXiv 2005.14165, appendix C)."""
_WORD = re.compile(r"\w+")


class Overlap(BaseModel):
    """What held-out tasks and training rows have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    trained_tasks: int
    """Tasks in the training rows."""
    trained_combinations: int
    """Combinations of skills among them."""
    tasks: dict[str, int]
    """Held-out tasks, by part."""
    combinations: dict[str, int]
    """Their combinations of skills, by part."""
    combinations_in_common: dict[str, int]
    """How many of those are trained on too."""
    same_prompts: int
    """Held-out tasks whose prompt, word for word, is a trained one's."""
    shared_words: int
    """Held-out tasks whose prompt shares 13 words in a row with any trained prompt."""
    shared_share: float | None
    """Share of all runs of 13 words in held-out prompts that stand in a trained prompt; None: prompts are shorter."""


@dataclass
class Trained:
    """What a training table says of its tasks."""

    tasks: dict[str, str] = field(default_factory=dict)
    """Prompts by the tasks' ids."""
    digests: set[str] = field(default_factory=set)
    combinations: set[str] = field(default_factory=set)

    def part(self, task: Task) -> Part:
        """What a trial at a task measures: rows that are filtered out teach nobody, so the table has the word, where it
        knows combinations at all."""
        if task.digest in self.digests:
            return "trained"
        if not self.combinations:
            return task.held_out or "task"
        own = combination_of(task)
        return "combination" if own and own not in self.combinations else "task"


def trained_on(table: Path) -> Trained:
    """Read a table of training rows; a task is read once. Raises StorageError."""
    import polars as pl

    made = Trained()
    with boundary(StorageError, f"reading {table}"):
        rows = pl.scan_parquet(table).select("task_id", "instruction", "task_digest", "task")
        for batch in rows.collect_batches(chunk_size=2048):
            for id, prompt, digest, task in batch.unique("task_id", keep="first", maintain_order=True).iter_rows():
                if id not in made.tasks:
                    made.tasks[id] = prompt or ""
                    made.digests |= {digest} if digest else set()
                    made.combinations |= _combination(task)
    return made


def _combination(task: str | None) -> set[str]:
    row = orjson.loads(task) if task else None
    if not isinstance(row, dict) or "source" not in row:  # a row that was gathered from somebody else's data
        return set()
    found = combination(row["source"]["generator"], row.get("skills", ()), row["source"].get("facts", {}))
    return {found} if found else set()


def overlap(trained: Trained, held_out: Iterable[tuple[Task, Part]]) -> Overlap:
    """Compare prompts in lower case, words only."""
    tasks = list(held_out)
    words = [_words(task.prompt) for task, _ in tasks]
    runs = [set(_runs(said)) for said in words]
    wanted = set().union(*runs) if runs else set()
    same = {tuple(said) for said in words}
    copied: set[int] = set()
    equal: set[tuple[str, ...]] = set()
    for prompt in trained.tasks.values():
        said = _words(prompt)
        copied.update(run for run in _runs(said) if run in wanted)
        equal |= {tuple(said)} & same
    combinations = defaultdict[str, set[str]](set)
    counts = defaultdict[str, int](int)
    for task, part in tasks:
        counts[part] += 1
        combinations[part] |= {combination_of(task)} - {""}
    total = sum(map(len, runs))
    return Overlap(
        trained_tasks=len(trained.tasks),
        trained_combinations=len(trained.combinations),
        tasks=dict(counts),
        combinations={part: len(found) for part, found in combinations.items()},
        combinations_in_common={part: len(found & trained.combinations) for part, found in combinations.items()},
        same_prompts=sum(tuple(said) in equal for said in words),
        shared_words=sum(bool(own & copied) for own in runs),
        shared_share=round(sum(len(own & copied) for own in runs) / total, 6) if total else None,
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _runs(words: list[str]) -> Iterator[int]:
    """A hash of each run of words."""
    return (hash(tuple(words[at : at + WORDS])) for at in range(len(words) - WORDS + 1))
