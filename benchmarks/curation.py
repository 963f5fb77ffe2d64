"""Measures curation out of core: rows a second and memory of each filter, and of select and arrange as stages.

    python benchmarks/curation.py --rows 1000000 --folder /with/16GB/free [--only near_duplicate] [--out FILE]

Rows are synthetic, 8 KB of messages each; duplicates, near-duplicates, leaks and secrets are planted in them, and
overlaps with the questions of `--benchmark FILE` (one JSON object a line) where one is given. Each filter judges the
whole table in a process of its own; then `select` writes what all of them keep, and `arrange` shuffles it. Seconds are
of the wall and leave out imports; memory is the most that the process ever held (VmHWM). `found` is the share of what
was planted for a filter that it dropped, `besides` how many rows it dropped in which nothing was planted for it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from curation_rows import make

FILTERS: tuple[str, ...] = (
    "solved",
    "length",
    "format",
    "duplicate",
    "near_duplicate",
    "teacher_identity",
    "foreign_script",
    "secrets",
    "personal_data",
    "repetition",
)
OPTIONS: dict[str, dict[str, Any]] = {"solved": {"min_reward": 0}, "length": {"max_turns": 50}}
THRESHOLD = 0.8


def peak_mib() -> int:
    """The most memory that this process ever held."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) >> 10


def filters(names: list[str], benchmark: str) -> list[Any]:
    """The filters of these names. Raises ConfigError."""
    from datafactory.errors import ConfigError
    from datafactory.registry import Problem, build

    problems: list[Problem] = []
    own = {"decontaminate": {"against": [benchmark]}} | OPTIONS
    made = [
        build("filter", {"use": name, **own.get(name, {})}, ("filters", at), problems) for at, name in enumerate(names)
    ]
    if problems:
        raise ConfigError([str(problem) for problem in problems])
    return made


def judge(table: Path, name: str, benchmark: str) -> dict[str, Any]:
    """One filter over the whole table: time, memory, and the ids that it dropped."""
    import polars as pl

    from datafactory.stages.sifting import decide
    from datafactory.table import scan

    rows, chosen = scan(table), filters([name], benchmark)
    began = time.perf_counter()
    decided = decide(rows, chosen)
    seconds = time.perf_counter() - began
    ids = scan(table).select("id").collect()["id"].gather(decided.dropped["_row"].cast(pl.Int64))
    return {"rows": decided.total, "seconds": seconds, "peak_mib": peak_mib(), "dropped": ids.to_list()}


def stage(spec: Any, source: Path, folder: Path) -> dict[str, Any]:
    """A columnar stage from the table in one folder to that in another; it needs no more of a run than this."""
    told: dict[str, Any] = {}
    shelf = SimpleNamespace(
        folder=folder, facts={}, tell=lambda kept, dropped: told.update(kept=kept, by=dict(dropped))
    )
    run: Any = SimpleNamespace(shelf=shelf, seed=7, progress=SimpleNamespace(finished=0))
    before: Any = SimpleNamespace(folder=source)
    folder.mkdir(exist_ok=True)
    began = time.perf_counter()
    asyncio.run(spec.run(before, run))
    seconds = time.perf_counter() - began
    return {"rows": run.progress.finished, "seconds": seconds, "peak_mib": peak_mib(), **told}


def work(what: str, folder: Path, names: list[str], benchmark: str) -> dict[str, Any]:
    """What one process measures."""
    if what == "select":
        from datafactory.stages.select import Select

        return stage(Select(filters=tuple(filters(names, benchmark))), folder / "rows", folder / "selected")
    if what == "arrange":
        from datafactory.stages.arrange import Arrange
        from filters.mixed import Mixed

        return stage(Arrange(curriculum=Mixed()), folder / "selected", folder / "arranged")
    return judge(folder / "rows" / "records.parquet", what, benchmark)


def measured(what: str, options: argparse.Namespace, names: list[str]) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--work", what, "--folder", str(options.folder), "--only", *names]
    done = subprocess.run([*command, "--benchmark", options.benchmark], stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def held_against(dropped: list[str], name: str, planted: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """How much of what was planted for a filter it dropped, and how much besides."""
    least = {"duplicate": 1.0, "near_duplicate": THRESHOLD}
    kind = "duplicate" if name in least else name
    mine = {id for id, plant in planted.items() if plant["plant"] == kind}
    wanted = {id for id in mine if planted[id].get("likeness", 1.0) >= least.get(name, 0)}
    if not wanted:
        return {}
    gone = set(dropped)
    return {"planted": len(wanted), "found": len(gone & wanted) / len(wanted), "besides": len(gone - wanted)}


def main() -> None:
    """Make the rows, measure each filter and the stages, and print a table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--folder", type=Path, required=True, help="where rows lie, and are written")
    options.add_argument("--only", nargs="*", default=[], help="filters to measure; all where none is named")
    options.add_argument("--benchmark", default="", help="questions that are planted in rows: a file of JSON lines")
    options.add_argument("--out", type=Path, help="where the figures go as JSON")
    options.add_argument("--no-stages", action="store_true", help="measure filters alone")
    options.add_argument("--work", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    names = chosen.only or [*FILTERS, *(["decontaminate"] if chosen.benchmark else [])]
    if chosen.work:
        print(json.dumps(work(chosen.work, chosen.folder, names, chosen.benchmark)))
        return
    table = chosen.folder / "rows" / "records.parquet"
    make(table, chosen.rows, benchmark=Path(chosen.benchmark) if chosen.benchmark else None)
    planted = json.loads(table.with_suffix(".planted.json").read_text())
    figures: dict[str, dict[str, Any]] = {}
    print(f"{'':18}{'rows/s':>9}{'seconds':>9}{'peak MiB':>9}{'dropped':>9}{'found':>8}{'besides':>8}", flush=True)
    for what in (*names, *(() if chosen.no_stages else ("select", "arrange"))):
        found = measured(what, chosen, names)
        dropped = found.pop("dropped", [])
        found |= {"rows_a_second": found["rows"] / found["seconds"], **held_against(dropped, what, planted)}
        found["dropped"] = len(dropped) if "kept" not in found else sum(found["by"].values())
        figures[what] = found
        share, besides = (f"{found['found']:.4f}", str(found["besides"])) if "found" in found else ("", "")
        print(
            f"{what:18}{found['rows_a_second']:9.0f}{found['seconds']:9.1f}{found['peak_mib']:9}{found['dropped']:9}"
            f"{share:>8}{besides:>8}",
            flush=True,
        )
    if chosen.out:
        chosen.out.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
