"""How many `terminal_skills` drafts are sound, how many tasks the oracle solves, and whether sandboxes agree.

    python -m benchmarks.terminal_tasks --count 500 --sandboxes namespace,docker

Runs one pipeline in each sandbox and prints a Markdown table and, as its last line, JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from datafactory.pipeline import Execution, load
from datafactory.types import Trajectory

PIPELINE = """
name: {sandbox}
seed: {seed}
teacher: oracle
sandbox: {sandbox}
stages:
  - use: synthesize
    generators: [{{use: terminal_skills, count: {count}}}]
  - {{use: rollout, attempts: 1, agent: {agent}}}
  - verify
"""


async def one(sandbox: str, count: int, seed: int, agent: str, folder: Path) -> dict[str, Any]:
    """Run the pipeline in one sandbox; counts, seconds, and what every check of every attempt found."""
    file = folder / f"{sandbox}.yaml"
    file.write_text(PIPELINE.format(sandbox=sandbox, count=count, seed=seed, agent=agent))
    execution = Execution(load(file), folder / "runs" / sandbox)
    began = time.monotonic()
    await execution.run()
    tasks, _, attempts = (station.shelf for station in execution.stations)
    drafts = {reason: n for reason, n in tasks.dropped.items() if reason != "slot_given_up"}
    return {
        "sandbox": sandbox,
        "seconds": round(time.monotonic() - began, 1),
        "drafts": tasks.kept + sum(drafts.values()),
        "sound": tasks.kept,
        "rejected": drafts,
        "attempts": attempts.kept,
        "solved": sum(attempt.verdict.solved for attempt in attempts),
        "stops": dict(Counter(attempt.stop for attempt in attempts)),
        "lost": execution.lost,
        "verdicts": {attempt.id: _found(attempt) for attempt in attempts},
        "digests": {task.id: task.digest for task in tasks},
    }


def _found(attempt: Trajectory) -> list[tuple[str, str, float]]:
    assert attempt.verdict is not None
    return [(check.name, check.outcome, check.score) for check in attempt.verdict.checks]


def main() -> None:
    """Read the arguments, run, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--agent", default="terminus-2")
    parser.add_argument("--sandboxes", default="namespace,docker")
    parser.add_argument("--folder", type=Path, help="keep the runs here; an interrupted benchmark goes on")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = chosen.folder or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        found = [
            asyncio.run(one(sandbox, chosen.count, chosen.seed, chosen.agent, folder))
            for sandbox in chosen.sandboxes.split(",")
        ]
    print("| sandbox | drafts | sound | attempts | solved | lost | seconds |\n|---|---|---|---|---|---|---|")
    for row in found:
        sound, solved = row["sound"] / max(row["drafts"], 1), row["solved"] / max(row["attempts"], 1)
        print(
            f"| {row['sandbox']} | {row['drafts']} | {row['sound']} ({sound:.1%}) | {row['attempts']} "
            f"| {row['solved']} ({solved:.1%}) | {row['lost']} | {row['seconds']} |"
        )
    first, *others = found
    differing = {
        key
        for other in others
        for key in first["verdicts"].keys() | other["verdicts"].keys()
        if first["verdicts"].get(key) != other["verdicts"].get(key)
    }
    same_tasks = all(first["digests"] == other["digests"] for other in others)
    print(f"\nsame tasks: {same_tasks}; verdicts that differ: {len(differing)} {sorted(differing)[:10]}")
    summary = [{k: v for k, v in row.items() if k not in ("verdicts", "digests")} for row in found]
    print(json.dumps({"rows": summary, "same_tasks": same_tasks, "differing": sorted(differing)}))


if __name__ == "__main__":
    main()
