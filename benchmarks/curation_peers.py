"""Measures near-duplicates side by side with datatrove, datasketch and rensa, on the same rows.

    python benchmarks/curation_peers.py [--rows 4000] [--repeats 3] [--out FILE]

All arms take the same texts: what was said in synthetic conversations of 8 KB, in which copies of known likeness are
planted. Each uses 5-word shingles and bands for a Jaccard index of 0.8, and its own way of cutting words. `datatrove`:
14 bands of 8 (its defaults), its four steps one after another, shingles hashed by SHA-1 (its xxHash takes no strings
from xxhash 4 on), words cut by spaCy, its default, or in the arm `split` at spaces. `datasketch`, `rensa`: 128 numbers,
in the bands that datasketch chooses for 0.8, and 16 of 8. Ours alone proves its candidates.
Arms take turns, each in a process of its own on one core; a ratio is the median of the repeats' ratios. `recall`: share
of the planted rows at 0.8 and more that are dropped; `precision`: share of the rows dropped whose words have an
index of 0.8 or more with an earlier row that was planted as theirs, worked out with plain Python sets.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from curation_rows import make

THRESHOLD, NGRAM, PERMUTATIONS = 0.8, 5, 128
Found = set[str]


def texts(table: Path) -> list[tuple[str, str]]:
    """Ids, and what was said: contents and commands."""
    from datafactory.table import read_rows

    made = []
    for row in read_rows(table):
        parts = []
        for message in row["messages"]:
            parts.append(message["content"])
            parts += [call["function"]["arguments"]["command"] for call in message.get("tool_calls", ())]
        made.append((row["id"], "\n".join(parts)))
    return made


def shingles(text: str) -> set[str]:
    """Runs of five words, as the packages want them: Python strings."""
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[at : at + NGRAM]) for at in range(max(1, len(words) - NGRAM + 1))}


def ours(rows: list[tuple[str, str]]) -> Found:
    """The filter, on a column of texts."""
    import polars as pl

    from filters.near_duplicate import NearDuplicate

    ids, said = zip(*rows, strict=True)
    frame = pl.LazyFrame({"id": ids, "task_id": ids, "attempt": range(len(ids)), "instruction": said})
    reason = NearDuplicate(on="prompt", threshold=THRESHOLD, ngram=NGRAM).reject(frame)
    return set(frame.filter(reason.is_not_null()).collect()["id"])


def datasketch(rows: list[tuple[str, str]]) -> Found:
    """MinHash and MinHashLSH, as its documentation has it; a row that is like one that was put in is not put in."""
    from datasketch import MinHash, MinHashLSH

    index, found = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS), set()
    for id, text in rows:
        drawn = MinHash(num_perm=PERMUTATIONS)
        drawn.update_batch([shingle.encode() for shingle in shingles(text)])
        if index.query(drawn):
            found.add(id)
        else:
            index.insert(id, drawn)
    return found


def rensa(rows: list[tuple[str, str]]) -> Found:
    """RMinHash and RMinHashLSH: the same in Rust."""
    from rensa import RMinHash, RMinHashLSH

    index, found = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=16), set()
    for number, (id, text) in enumerate(rows):
        drawn = RMinHash(num_perm=PERMUTATIONS, seed=7)
        drawn.update(list(shingles(text)))
        if index.query(drawn):
            found.add(id)
        else:
            index.insert(number, drawn)
    return found


def datatrove(rows: list[tuple[str, str]], plain: bool = False) -> Found:
    """Its four steps: signatures, buckets, clusters, filter; on one worker, with files in a temporary folder. Its words
    are spaCy's; `plain`: what stands between spaces."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.utils.hashing import HashConfig

    def documents() -> Iterator[Any]:
        return (Document(text=text, id=id) for id, text in rows)

    folder, config = Path(tempfile.mkdtemp()), MinhashConfig(n_grams=NGRAM, hash_config=HashConfig(hash_fc="sha1"))
    try:
        places = [str(folder / name) for name in ("signatures", "buckets", "removed")]
        drawing = MinhashDedupSignature(places[0], config=config)
        if plain:
            drawing.word_tokenizer = SimpleNamespace(word_tokenize=str.split)
        drawing.run(documents(), 0, 1)
        for bucket in range(config.num_buckets):
            step = MinhashDedupBuckets(places[0], places[1], config=config)
            step.run(None, rank=bucket, world_size=config.num_buckets)
        MinhashDedupCluster(places[1], places[2], config=config).run(None, 0, 1)
        kept = {document.id for document in MinhashDedupFilter(places[2]).run(documents(), 0, 1)}
    finally:
        shutil.rmtree(folder)
    return {id for id, _ in rows} - kept


ARMS: dict[str, Callable[[list[tuple[str, str]]], Found]] = {
    "ours": ours,
    "datatrove": datatrove,
    "datatrove, split": lambda rows: datatrove(rows, plain=True),
    "datasketch": datasketch,
    "rensa": rensa,
}


def work(arm: str, table: Path) -> dict[str, Any]:
    """One arm in this process: the first hundred rows warm it up (imports, compiled code)."""
    rows = texts(table)
    ARMS[arm](rows[:100])
    began = time.perf_counter()
    found = ARMS[arm](rows)
    return {"seconds": time.perf_counter() - began, "found": sorted(found), "rows": len(rows)}


def measured(arm: str, table: Path) -> dict[str, Any]:
    """The same in a process that has one core."""
    core = sorted(os.sched_getaffinity(0))[0]
    command = ["taskset", "-c", str(core), sys.executable, __file__, "--arm", arm, "--table", str(table)]
    one = {**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "LOGURU_LEVEL": "ERROR"}
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=one)
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made


def likenesses(table: Path) -> dict[str, float]:
    """For each planted row, its Jaccard index with the most similar of the rows planted with it before."""
    planted = {id: p for id, p in json.loads(table.with_suffix(".planted.json").read_text()).items() if "like" in p}
    said, family, made = dict(texts(table)), dict[str, list[set[str]]](), dict[str, float]()
    for id, plant in planted.items():
        earlier = family.setdefault(plant["like"], [shingles(said[plant["like"]])])
        mine = shingles(said[id])
        made[id] = max(len(mine & other) / len(mine | other) for other in earlier)
        earlier.append(mine)
    return made


def main() -> None:
    """Make the rows, let the arms take turns, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=4000)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--table", type=Path, help="rows that were made before; made in a temporary folder otherwise")
    options.add_argument("--out", type=Path, help="where the figures go as JSON")
    options.add_argument("--arm", choices=ARMS, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.arm:
        print(json.dumps(work(chosen.arm, chosen.table)))
        return
    with tempfile.TemporaryDirectory() as folder:
        table = chosen.table or Path(folder) / "rows.parquet"
        make(table, chosen.rows)
        likeness = likenesses(table)
        wanted = {id for id, index in likeness.items() if index >= THRESHOLD}
        taken: dict[str, list[dict[str, Any]]] = {arm: [] for arm in ARMS}
        for _ in range(chosen.repeats):
            for arm in ARMS:
                taken[arm].append(measured(arm, table))
    figures = {}
    print(f"{len(wanted)} planted rows at {THRESHOLD} or more")
    print(f"{'':18}{'rows/s':>9}{'ratio':>8}{'recall':>8}{'precision':>11}")
    for arm, runs in taken.items():
        found, rows = set(runs[0]["found"]), runs[0]["rows"]
        ratio = statistics.median(r["seconds"] / o["seconds"] for r, o in zip(runs, taken["ours"], strict=True))
        figures[arm] = {
            "rows_a_second": rows / statistics.median(r["seconds"] for r in runs),
            "ours_is_faster": ratio,
            "recall": len(found & wanted) / len(wanted),
            "precision": len(found & wanted) / len(found) if found else 1.0,
        }
        speed, faster, recall, precision = figures[arm].values()
        print(f"{arm:18}{speed:9.0f}{faster:8.2f}{recall:8.4f}{precision:11.4f}")
    if chosen.out:
        chosen.out.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
