"""Measures the questions that `search_paths` makes of a real corpus: made, answered and judged by a real run.

    python -m benchmarks.search_questions --corpus html:/usr/share/doc/python3.11/html
    python -m benchmarks.search_questions --corpus dict:/usr/share/dictd/foldoc

A pipeline file is written and run by the command line: synthesize, rollout with the embedded expert, verify. Then its
shelves are read. Prints a table, and with `--json` one object: yield and reasons, seconds, hops, near-duplicates (runs
of three words, Jaccard index at least 0.7), which questions have one answer by a search of every page that shares no
code with the generator (search_scan.py), what of the evidence a plain BM25 search for the question shows in its
first ten passages, and how the expert fared. `--folder` keeps the run, and uses the one that is there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from benchmarks.search_measures import doubles, found, shapes, solved
from benchmarks.search_scan import uniqueness
from datafactory import registry
from datafactory.corpora import CorpusSpec, find
from datafactory.corpora.library import library
from datafactory.storage import RunFolder, open_run
from datafactory.types import Task, Trajectory

NAME = "questions"


def pipeline(corpus: str, count: int, seed: int, more: dict[str, Any]) -> dict[str, Any]:
    """The run: `corpus` is `<kind>:<path>`."""
    kind, _, path = corpus.partition(":")
    source = registry.find("corpus", kind)
    assert issubclass(source, CorpusSpec)
    generator = {"use": "search_paths", "count": count, "corpus": {"use": kind, source.place_key: path}, **more}
    stages = [
        {"use": "synthesize", "tries": 40, "generators": [generator]},
        {"use": "rollout", "agent": "search", "attempts": 1},
        "verify",
    ]
    return {"name": NAME, "seed": seed, "teacher": "oracle", "stages": stages}


def run(folder: Path, made: dict[str, Any]) -> dict[str, float]:
    """Run it, stage by stage, and say how many seconds each took."""
    took: dict[str, float] = {}
    for upto in range(1, len(made["stages"]) + 1):
        (folder / "questions.yaml").write_text(yaml.safe_dump({**made, "stages": made["stages"][:upto]}))
        began = time.monotonic()
        command = [sys.executable, "-m", "datafactory", "run", "questions.yaml"]
        done = subprocess.run(command, cwd=folder, env={**os.environ, "COLUMNS": "200"}, stdout=sys.stderr, check=False)
        if done.returncode:
            raise SystemExit(f"search_questions: the run ended with status {done.returncode}")
        stage = made["stages"][upto - 1]
        took[stage if isinstance(stage, str) else stage["use"]] = round(time.monotonic() - began, 1)
    return took


def yields(folder: RunFolder) -> dict[str, Any]:
    """What became of the slots, and why drafts were not kept."""
    stage = folder.stages[0]
    reasons: dict[str, int] = {}
    drafts = kept = stage.count()
    for row in stage.rejects():
        drafts += "#" in row["key"]
        reasons[row["reason"]] = reasons.get(row["reason"], 0) + 1
    ordered = dict(sorted(reasons.items(), key=lambda item: -item[1]))
    return {
        "questions": kept,
        "drafts": drafts,
        "yield": round(kept / drafts, 4) if drafts else None,
        "rejects": ordered,
    }


async def measure(folder: Path) -> dict[str, Any]:
    """Every figure of a finished run."""
    made = open_run(folder / "runs" / NAME)
    tasks = [Task.model_validate(row) for row in made.stages[0].records()]
    attempts = [Trajectory.model_validate(row) for row in made.stages[-1].records()]
    asked = [task.question for task in tasks if task.question is not None]
    corpus = find(asked[0].corpus)
    async with library(corpus) as shelves:
        top = await found(tasks, shelves)
    began = time.monotonic()
    unique = uniqueness(tasks, corpus)
    return {
        "corpus": {"name": corpus.name, "pages": len(corpus), "passages": len(corpus.passages)},
        "synthesis": yields(made),
        "shape": shapes(tasks),
        "unique": {**unique, "seconds": round(time.monotonic() - began, 1)},
        "doubles": doubles(tasks),
        "in the top 10 of BM25": top,
        "expert": solved(tasks, attempts),
    }


def show(figures: Any, depth: int = 0) -> None:
    """Print nested figures as an indented table."""
    for name, value in figures.items():
        if isinstance(value, dict) and value and (depth == 0 or len(str(value)) > 80):
            print(f"{'  ' * depth}{name}")
            show(value, depth + 1)
        elif not (isinstance(value, list) and value and isinstance(value[0], list | dict)):
            print(f"{'  ' * depth}{name:<{34 - 2 * depth}} {value}")


def main() -> None:
    """Run, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True, help="<kind>:<path>, such as html:/usr/share/doc/python3.11/html")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--set", action="append", default=[], help="more keys of search_paths, as name=value")
    parser.add_argument("--folder", type=Path, help="keep the run here, or measure the one that is here")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    more = {name: yaml.safe_load(value) for name, _, value in (each.partition("=") for each in asked.set)}
    with tempfile.TemporaryDirectory(prefix="questions-") as place:
        folder = (asked.folder or Path(place)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        took = run(folder, pipeline(asked.corpus, asked.count, asked.seed, more))
        figures = {"seconds": took, **asyncio.run(measure(folder))}
    if asked.json:
        print(json.dumps(figures))
    else:
        show(figures)


if __name__ == "__main__":
    main()
