"""Measures curricula and gathering out of core: rows a second and memory on the rows of `curation.py`.

    python benchmarks/curricula.py --rows 100000 --folder /with/8GB/free [--copies 10] [--only staged] [--out FILE]

Each curriculum arranges the whole table as a stage, in a process of its own: its order is found, and whole rows are
written in it. `gather` puts the table and a copy of its first half, whose ids clash, on one shelf. Seconds are of the
wall and leave out imports; memory is the most that the process ever held (VmHWM).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from curation_rows import make

CURRICULA: dict[str, dict[str, Any]] = {
    "mixed": {"use": "mixed"},
    "mixed, capped, tempered, sized": {"use": "mixed", "max_per_task": 2, "temperature": 2, "rows": 50_000},
    "easy_to_hard": {"use": "easy_to_hard", "jitter": 0.2},
    "bands": {"use": "bands", "edges": [0.5], "shares": [1, 1]},
    "control, matched by domain": {"use": "control", "arm": "mixed", "match": ["domain"]},
    "staged": {
        "use": "staged",
        "phases": [{"use": "mixed", "where": {"solved": False}}, {"use": "mixed", "where": {"solved": True}}],
    },
}
GATHER = "gather, with clashing ids"


def work(what: str, folder: Path) -> dict[str, Any]:
    """What one process measures: rows written, seconds, and the most memory that it held."""
    from datafactory.registry import build

    problems: list[Any] = []
    rows = folder / "rows" / "records.parquet"
    recipe: dict[str, Any] = {"use": "arrange", "curriculum": CURRICULA.get(what)}
    if what == GATHER:
        recipe = {"use": "gather", "sources": [{"at": str(rows), "name": "a"}, str(folder / "half.parquet")]}
    stage: Any = build("stage", recipe, (), problems)
    assert not problems, problems
    out = folder / "made"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    shelf = SimpleNamespace(folder=out, facts={}, tell=lambda kept, dropped: None, has=lambda key: True)
    run: Any = SimpleNamespace(shelf=shelf, seed=7, progress=SimpleNamespace(finished=0))
    began = time.perf_counter()
    asyncio.run(stage.run(SimpleNamespace(folder=rows.parent), run))
    seconds = time.perf_counter() - began
    status = Path("/proc/self/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) >> 10
    return {"rows": run.progress.finished, "seconds": seconds, "peak_mib": peak}


def multiply(table: Path, path: Path, copies: int) -> None:
    """The rows of a table so many times, each time as attempts at other tasks."""
    import polars as pl

    from datafactory.table import scan, write_frame

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = [
            scan(table).with_columns(pl.concat_str(pl.lit(f"c{at}-"), name).alias(name) for name in ("id", "task_id"))
            for at in range(copies)
        ]
        write_frame(pl.concat(made), path)


def halve(table: Path, path: Path) -> None:
    """A copy of the first half of a table."""
    import polars as pl

    from datafactory.table import scan, write_frame

    if not path.exists():
        count = scan(table).select(pl.len()).collect().item()
        write_frame(scan(table).head(count // 2), path)


def main() -> None:
    """Make the rows, measure, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--folder", type=Path, required=True, help="where rows lie, and are written")
    options.add_argument("--copies", type=int, default=1, help="how often the rows are repeated, under other ids")
    options.add_argument("--only", nargs="*", default=[], help="what to measure; all where nothing is named")
    options.add_argument("--out", type=Path, help="where the figures go as JSON")
    options.add_argument("--work", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.work:
        print(json.dumps(work(chosen.work, chosen.folder)))
        return
    make(chosen.folder / "once" / "records.parquet", chosen.rows)
    multiply(chosen.folder / "once" / "records.parquet", chosen.folder / "rows" / "records.parquet", chosen.copies)
    halve(chosen.folder / "rows" / "records.parquet", chosen.folder / "half.parquet")
    figures = {}
    print(f"{'':32}{'rows':>9}{'rows/s':>9}{'seconds':>9}{'peak MiB':>9}", flush=True)
    for what in chosen.only or (*CURRICULA, GATHER):
        command = [sys.executable, __file__, "--work", what, "--folder", str(chosen.folder)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        figures[what] = found
        speed = found["rows"] / found["seconds"]
        print(f"{what:32}{found['rows']:9}{speed:9.0f}{found['seconds']:9.1f}{found['peak_mib']:9}", flush=True)
    if chosen.out:
        chosen.out.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
