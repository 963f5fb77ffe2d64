"""Measures how fast prompts are clustered into topics, in how much memory, and how well topics follow known sources.

    python benchmarks/topics.py [--tasks 100000] [--attempts 1] [--methods hdbscan kmeans] [--out topics.json]
    python benchmarks/topics.py --grouping

Prompts are docstrings of installed packages; each task's prompt is one of them with 30 % of its words left out, so that
no two are alike. A row has 7 KB of messages besides, which the stage must carry along and not hold. Each method runs
in a process of its own; `peak MB` is the most that was resident (VmHWM), memory-mapped pages included. With
`--grouping`, the docstrings themselves are clustered and held against the packages that they come from by normalised
mutual information, for several ways to reduce their vectors.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
import json
import multiprocessing
import random
import re
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from datafactory.registry import build
from datafactory.run import Run
from datafactory.stages.stage import Stage
from datafactory.storage import TABLE, Shelf
from datafactory.table import COLUMNS, RowWriter
from datafactory.topics.clustering import Wish, cluster
from datafactory.topics.tfidf import Tfidf
from datafactory.types import Trajectory

SOURCES = """
numpy scipy.stats scipy.optimize scipy.signal scipy.linalg scipy.special scipy.ndimage scipy.sparse scipy.spatial
scipy.interpolate sklearn.cluster sklearn.linear_model sklearn.metrics sklearn.ensemble sklearn.preprocessing polars
pandas os pathlib asyncio email.message logging http.client ssl socket sqlite3 datetime decimal zipfile tarfile
argparse unittest xml.dom.minidom random statistics threading subprocess collections itertools aiohttp jinja2 fastapi
tantivy libcst rich docker huggingface_hub typer pydantic jsonschema
"""
MOST = 250
"""Docstrings of one source at most."""


def docstrings() -> tuple[list[str], list[str]]:
    """Docstrings of 120 characters and more, and the source of each; the same wherever the same packages are."""
    texts, sources = [], []
    for name in SOURCES.split():
        try:
            module = importlib.import_module(name)
        except ImportError:
            print(f"left out: {name} is not installed")
            continue
        things = [getattr(module, key) for key in sorted(dir(module)) if hasattr(module, key)]
        inner = [vars(t)[key] for t in things if inspect.isclass(t) for key in sorted(vars(t)) if key[0] != "_"]
        found = dict.fromkeys(d for t in (*things, *inner) if isinstance(d := getattr(t, "__doc__", None), str))
        long = [doc[:2000] for doc in found if len(doc) > 120][:MOST]
        texts += long
        sources += [name] * len(long)
    return texts, sources


def write_rows(path: Path, tasks: int, attempts: int) -> None:
    """A table of `tasks` x `attempts` rows, sorted as tables are."""
    rng = random.Random(1)
    words = [text.split() for text in docstrings()[0]]
    blather = " ".join(rng.choice(rng.choice(words)) for _ in range(100_000))
    with RowWriter(path, COLUMNS) as writer:
        for task in range(tasks):
            prompt = " ".join(word for word in rng.choice(words) if rng.random() < 0.7)
            for attempt in range(attempts):
                at = rng.randrange(len(blather) - 7000)
                said = [{"role": "assistant", "content": blather[at : at + 7000]}]
                id = f"task-{task:07d}"
                row = {"id": f"{id}/{attempt}", "task_id": id, "attempt": attempt, "instruction": prompt}
                writer.write({**row, "messages": said, "scores": [], "checks": []})


def measure(source: Path, to: Path, method: str, told: Connection) -> None:
    """Cluster one table and tell what it took."""
    stage = build("stage", {"use": "cluster", "method": method}, (), [])
    assert isinstance(stage, Stage)

    async def run() -> int:
        async with Shelf(source, Trajectory) as before, Shelf(to, Trajectory) as shelf:
            await stage.run(before, Run(shelf, seed=1))
            return shelf.kept

    began, busy = time.perf_counter(), time.process_time()
    rows = asyncio.run(run())
    topics = [json.loads(line) for line in (to / "topics.jsonl").read_text().splitlines()]
    told.send(
        {
            "method": method,
            "rows": rows,
            "topics": len(topics),
            "tasks in topics": sum(topic["tasks"] for topic in topics),
            "seconds": round(time.perf_counter() - began, 1),
            "processor seconds": round(time.process_time() - busy, 1),
            "peak MB": int(re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[0]) // 1024,
        }
    )


def speed(tasks: int, attempts: int, methods: list[str]) -> list[dict[str, Any]]:
    """One line for each method."""
    made = []
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        for method in methods:
            source = Path(folder) / f"rows-{method}"  # one each: vectors are kept beside the rows
            source.mkdir()
            write_rows(source / TABLE, tasks, attempts)
            (source / "manifest.json").write_text(json.dumps({"kept": tasks * attempts, "rejected": {}}))
            here, there = context.Pipe()
            process = context.Process(target=measure, args=(source, Path(folder) / method, method, there))
            process.start()
            made.append({"tasks": tasks, **here.recv()})
            process.join()
            print(json.dumps(made[-1]), flush=True)
            (source / TABLE).unlink()
    return made


def grouping() -> list[dict[str, Any]]:
    """How topics agree with sources, by the numbers in a vector and the method."""
    from sklearn.metrics import normalized_mutual_info_score

    texts, sources = docstrings()
    names = np.array(sources)
    everyone = np.arange(len(texts))
    print(f"{len(texts):,} docstrings of {len(set(sources))} sources")
    made = []
    for width in (16, 32, 64, 128):
        vectors = Tfidf(dims=width).fit(texts, seed=1)(texts)
        for dims, method in ((width, "hdbscan"), (8, "hdbscan"), (width, "kmeans")):
            wish = Wish(method, 8, len(set(sources)) if method == "kmeans" else None, dims, False, 1)  # type: ignore[arg-type]
            labels = cluster(vectors, everyone, wish).labels
            near = cluster(vectors, everyone, Wish(method, 8, wish.topics, dims, True, 1)).labels  # type: ignore[arg-type]
            row = {
                "svd": width,
                "pca": dims if dims < width else None,
                "method": method,
                "topics": int(labels.max() + 1),
                "of none": round(float((labels < 0).mean()), 3),
                "nmi without": round(normalized_mutual_info_score(names[labels >= 0], labels[labels >= 0]), 3),
                "nmi nearest": round(normalized_mutual_info_score(names, near), 3),
            }
            made.append(row)
            print(json.dumps(row), flush=True)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--attempts", type=int, default=1)
    parser.add_argument("--methods", nargs="+", default=["hdbscan", "kmeans"])
    parser.add_argument("--grouping", action="store_true")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    made = grouping() if args.grouping else speed(args.tasks, args.attempts, args.methods)
    if args.out:
        args.out.write_text(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
