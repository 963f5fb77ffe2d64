"""Measures the page of a large run: how long it takes to write, how large it is, and how soon a browser has drawn it.

    python -m benchmarks.report_page RUN --attempts 50000 --folder /with/2GB/free

The attempts are those of RUN, over and over, under other ids and with other words in each message, so that they
compress no better than a large run's. The page is written by the command line in a process of its own; memory is the
most that it ever held. Then Chromium opens it from the disk, and the time is what the page itself took from the
beginning of the navigation until it was drawn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datafactory.storage import RECORDS, open_run


def enlarge(run: Path, folder: Path, attempts: int) -> Path:
    """A copy of the run in `folder`, with so many attempts at as many more tasks."""
    source = open_run(run)
    made = folder / "large"
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(source.path, made, ignore=shutil.ignore_patterns("*.parquet", "*.crc"))
    stages = [stage.path.name for stage in source.stages if (stage.path / RECORDS).exists()]
    words = random.Random(7).choices([f"{number:x}" for number in range(1 << 16)], k=1 << 16)
    for name in stages:
        rows = [json.loads(line) for line in (source.path / name / RECORDS).read_bytes().splitlines()]
        with (made / name / RECORDS).open("w", encoding="utf-8") as file:
            for row in _more(rows, attempts, words):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        (made / name / "manifest.json").unlink(missing_ok=True)
    return made


def _more(rows: list[dict[str, Any]], attempts: int, words: list[str]) -> Iterator[dict[str, Any]]:
    """Rows of tasks or attempts, over and over."""
    rng = random.Random(11)
    each = sum("attempt" in row for row in rows)
    rounds = -(-attempts // each) if each else -(-attempts // (2 * len(rows)))
    left = attempts if each else rounds * len(rows)
    for number in range(rounds):
        for row in rows[:left]:
            key = "task_id" if each else "id"
            made = {**row, key: f"{row[key]}-{number}"}
            if each:
                made["messages"] = [
                    {**message, "content": f"{message['content']} {' '.join(rng.sample(words, 12))}"}
                    for message in row["messages"]
                ]
            yield made
        left -= len(rows)


async def opened(page: Path, profile: Path) -> float:
    """Seconds that the page took in a browser."""
    from tests.cli.browser import tab

    async with tab(profile) as window:
        await window.open(page.resolve().as_uri())
        return float(await window.value("document.documentElement.dataset.ready")) / 1000


def main() -> None:
    """Make, write, open, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--attempts", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, required=True)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    run = enlarge(asked.run, asked.folder, asked.attempts)
    journal = sum(path.stat().st_size for path in run.glob(f"*/{RECORDS}"))
    page = asked.folder / "large.html"
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "datafactory", "report", str(run), "--to", str(page)], check=True)
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    drawn = asyncio.run(opened(page, asked.folder / "profile"))
    print(
        f"{asked.attempts:,} attempts, journals of {journal / 1e9:.2f} GB: page of {page.stat().st_size / 1e6:.1f} MB "
        f"in {seconds:.1f} s, most memory {memory:.0f} MiB; drawn {drawn:.2f} s after it was asked for"
    )


if __name__ == "__main__":
    main()
