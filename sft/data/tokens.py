"""Renders a table once, to arrays of tokens that are memory-mapped from then on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory.errors import DataError
from datafactory.table import read_rows
from datafactory.whole import whole
from sft.rendering import Renderer

if TYPE_CHECKING:
    import numpy as np

CHUNK = 64
"""Rows that a process renders at a time."""
FACTS = "tokens.json"


@dataclass(frozen=True)
class Tokens:
    """Rows as tokens, in the table's order; the rows that would teach nothing are left out."""

    folder: Path
    """`ids.bin` (int32), `trained.bin` (bool), `ends.bin` (int64), `refused.jsonl`, `tokens.json`."""
    facts: Mapping[str, Any]
    """Rows, tokens, trained tokens, answers that lie past the length, refused rows by reason."""

    def __len__(self) -> int:
        return int(self.facts["rows"])

    def arrays(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Token ids, whether each is trained, and where each row ends."""
        import numpy as np

        kinds = {"ids": np.int32, "trained": np.bool_, "ends": np.int64}
        opened = (np.memmap(self.folder / f"{name}.bin", dtype=kind, mode="r") for name, kind in kinds.items())
        ids, trained, ends = opened
        return ids, trained, ends


def prepare(table: Path, folder: Path, tokenizer: Path, *, max_length: int, processes: int = 1) -> Tokens:
    """Render the rows of `table` for the student whose tokenizer lies in a folder, unless that was done.

    Rows that the template cannot show, or of which nothing would be trained, are refused: they are listed in
    `refused.jsonl` with their reason, never trained on with an empty loss. Raises DataError where no row is left.
    """
    if (folder / FACTS).exists():
        return Tokens(folder, json.loads((folder / FACTS).read_bytes()))
    folder.mkdir(parents=True, exist_ok=True)
    facts = _write(_rendered(table, tokenizer, max_length, processes), folder)
    if not facts["rows"]:
        reasons = "; ".join(f"{count} × {reason}" for reason, count in list(facts["refused"].items())[:3])
        raise DataError(f"{table}: no row can be trained on: {reasons or 'the table is empty'}")
    with whole(folder / FACTS) as draft:
        draft.write_text(json.dumps(facts, indent=1))
    return Tokens(folder, facts)


def _write(rows: Iterable[tuple[str, Any]], folder: Path) -> dict[str, Any]:
    import numpy as np

    reasons: Counter[str] = Counter()
    sums = dict.fromkeys(("rows", "tokens", "trained_tokens", "turns", "cut_turns"), 0)
    with (
        (folder / "ids.bin").open("wb") as ids,
        (folder / "trained.bin").open("wb") as trained,
        (folder / "ends.bin").open("wb") as ends,
        (folder / "refused.jsonl").open("w", encoding="utf-8") as refused,
    ):
        for key, made in rows:
            if isinstance(made, str):
                reasons[_kind(made)] += 1
                refused.write(json.dumps({"id": key, "reason": made}, ensure_ascii=False) + "\n")
                continue
            ids.write(made.ids.tobytes())
            trained.write(made.trained.tobytes())
            sums["tokens"] += len(made.ids)
            ends.write(np.int64(sums["tokens"]).tobytes())
            sums["rows"] += 1
            sums["trained_tokens"] += made.trainable
            sums["turns"] += made.turns
            sums["cut_turns"] += made.cut_turns
    return {**sums, "refused": dict(reasons.most_common())}


def _kind(reason: str) -> str:
    """A reason without its numbers, to be counted."""
    return reason.partition(":")[0]


def _rendered(table: Path, tokenizer: Path, max_length: int, processes: int) -> Iterator[tuple[str, Any]]:
    chunks = _chunks(map(_slim, read_rows(table)))
    if processes < 2:
        renderer = _renderer(tokenizer, max_length)
        for chunk in chunks:
            yield from _render(renderer, chunk)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _set_up, (tokenizer, max_length)) as pool:
        # A few chunks ahead of the writer and no more, so that memory does not grow with the table.
        ahead = (pool.submit(_in_process, chunk) for chunk in chunks)
        waiting = list(islice(ahead, 4 * processes))
        while waiting:
            yield from waiting.pop(0).result()
            waiting += islice(ahead, 1)


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], ...]]:
    while chunk := tuple(islice(rows, CHUNK)):
        yield chunk


def _slim(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in ("id", "messages", "tools", "train_turns")}


def _renderer(tokenizer: Path, max_length: int) -> Renderer:
    from transformers import AutoTokenizer

    return Renderer(AutoTokenizer.from_pretrained(tokenizer), max_length=max_length)


def _render(renderer: Renderer, rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, Any]]:
    made: list[tuple[str, Any]] = []
    for row in rows:
        try:
            made.append((str(row["id"]), renderer.render(row)))
        except DataError as error:
            made.append((str(row["id"]), str(error)))
    return made


_ready: list[Renderer] = []
"""The renderer of a process of the pool."""


def _set_up(tokenizer: Path, max_length: int) -> None:
    _ready.append(_renderer(tokenizer, max_length))


def _in_process(rows: tuple[Mapping[str, Any], ...]) -> list[tuple[str, Any]]:
    return _render(_ready[0], rows)
