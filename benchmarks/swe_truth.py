"""The tasks of a finished run, proved once more: its fix scores 1 and an empty patch 0, each in a clean box.

    python benchmarks/swe_truth.py runs/swe --sandbox docker

Generators that prove their own tasks do it with many runs in few boxes (docs/decisions/0013). This is the way in which
an attempt is judged: a box for the solution, and one for each verdict. Ends with status 1 where a task fails.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from pathlib import Path

from datafactory.checks import prove
from datafactory.local import CORES
from datafactory.storage import open_run
from datafactory.types import Task


async def proved(tasks: list[Task], sandbox: str, at_once: int) -> dict[str, str]:
    """Why a task is not sound, by its id; nothing where it is."""
    from sandboxes.docker import DockerSandbox
    from sandboxes.namespace import NamespaceSandbox

    spec = DockerSandbox(pool=0) if sandbox == "docker" else NamespaceSandbox()
    wrong: dict[str, str] = {}
    places = asyncio.Semaphore(at_once)
    async with spec.start() as host:

        async def one(task: Task) -> None:
            async with places:
                reject = await prove(host, task, repeats=1)
            if reject is not None:
                wrong[task.id] = f"{reject.reason}: {reject.detail[-500:]}"

        await asyncio.gather(*(one(task) for task in tasks))
    return wrong


def main() -> int:
    """Prove them all, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--sandbox", choices=("docker", "namespace"), default="docker")
    parser.add_argument("--at-once", type=int, default=CORES)
    asked = parser.parse_args()
    first = open_run(asked.run).stages[0]
    tasks = [Task.model_validate(row) for row in first.records()]
    began = time.monotonic()
    wrong = asyncio.run(proved(tasks, asked.sandbox, asked.at_once))
    seconds = time.monotonic() - began
    by = Counter(str(task.source.facts.get("repo", task.source.generator)) for task in tasks)
    print(f"{len(tasks)} tasks ({', '.join(f'{name} {count}' for name, count in by.items())}), {seconds:.0f} s")
    print(f"the fix scores 1 and an empty patch 0 on {len(tasks) - len(wrong)} of {len(tasks)}")
    for task, why in wrong.items():
        print(f"{task}: {why}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
