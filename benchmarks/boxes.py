"""The sandbox benchmark: a command's time, boxes a second, an episode's overhead, and what a `kill -9` leaves.

    python benchmarks/boxes.py --out boxes.json

All in one run on one machine, every way taking turns with the others. The Docker peers act on the very container of
the docker box: the SDK's `exec_run`, and one `docker exec ... bash -lc` an action, as mini-swe-agent has it. Goals:
p50 of a command at most 5 ms in every sandbox; after a kill, no box left once the next run has started.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sandbox_trials import EPISODE, Pace, episodes, latencies, namespaces, paces

from sandboxes import docker_owner
from sandboxes.docker import DockerSandbox

HERE = Path(__file__).parent
SDK = "docker SDK exec_run"
GOAL = 0.005
"""Seconds, p50 of a command."""


def quantile(times: list[float], part: float) -> float:
    """The time below which a `part` of them lies."""
    return sorted(times)[min(len(times) - 1, int(part * len(times)))]


def processes(word: str) -> int:
    """How many processes of this machine are called `word`."""
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found += (folder / "cmdline").read_bytes().split(b"\0", 1)[0] == word.encode()
        except OSError:  # it ended meanwhile
            continue
    return found


def remains(kind: str, pid: int, word: str) -> int:
    """What there still is of the boxes of factory `pid`: containers, dead or alive; else processes and their groups."""
    if kind != "docker":
        groups = Path("/sys/fs/cgroup").rglob(f"datafactory-box-{pid}-*")
        return processes(word) + len({group.name for group in groups})
    import docker

    client = docker.from_env()
    found = client.containers.list(all=True, filters={"label": docker_owner.OWNER})
    client.close()
    return sum(each.labels[docker_owner.OWNER].startswith(f"{pid}-") for each in found)


def settled(count: Callable[[], int], wanted: int, patience: float = 10.0) -> int:
    """The count once it is what is wanted, or after `patience` seconds."""
    until = time.monotonic() + patience
    while (seen := count()) != wanted and time.monotonic() < until:
        time.sleep(0.1)
    return seen


async def killed(kind: str, count: int) -> dict[str, Any]:
    """Open `count` boxes in a factory of its own, kill that with SIGKILL, start the next: what is left when."""
    word = f"box-{uuid.uuid4().hex}"
    command = [sys.executable, str(HERE / "sandbox_factory.py"), kind, str(count), word]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        boxes = settled(lambda: processes(word), count)
        process.send_signal(signal.SIGKILL)
    await asyncio.sleep(2)
    running, after = processes(word), remains(kind, process.pid, word)
    recipe = DockerSandbox() if kind == "docker" else namespaces()[kind]
    begun = time.perf_counter()
    async with recipe.start():
        took = time.perf_counter() - begun
        left = settled(lambda: processes(word), 0) + remains(kind, process.pid, word)
    row = {"sandbox": kind, "boxes": boxes, "running_after_kill": running, "remains_after_kill": after}
    return {**row, "start_s": took, "after_next_start": left}


def of_latencies(spent: dict[str, list[float]]) -> list[dict[str, Any]]:
    """A row for each way, with how many times faster it is than the SDK at the median."""
    reference = statistics.median(spent[SDK])
    return [
        {
            "way": way,
            "count": len(times),
            "p50_ms": 1000 * statistics.median(times),
            "p95_ms": 1000 * quantile(times, 0.95),
            "faster_than_sdk": reference / statistics.median(times),
        }
        for way, times in spent.items()
    ]


def of_episodes(spent: dict[str, list[float]]) -> list[dict[str, Any]]:
    """A row for each way; `ms_an_action` is what an action of the episode costs."""
    reference = statistics.median(spent["docker exec CLI, bash -lc"])
    return [
        {
            "way": way,
            "count": len(times),
            "p50_s": statistics.median(times),
            "ms_an_action": 1000 * statistics.median(times) / len(EPISODE),
            "faster_than_cli": reference / statistics.median(times),
        }
        for way, times in spent.items()
    ]


def of_pace(pace: Pace) -> dict[str, Any]:
    """A row."""
    return {
        "way": pace.way,
        "workers": pace.workers,
        "boxes": pace.boxes,
        "boxes_per_s": pace.per_second,
        "wait_p50_ms": 1000 * pace.wait,
        "mute": pace.mute,
    }


def report(found: dict[str, Any]) -> Iterator[str]:
    """Markdown tables."""
    yield "| one command (`echo ok`) | n | p50 | p95 | faster than the SDK |\n|---|---|---|---|---|"
    for row in found["commands"]:
        late = "" if "box" not in row["way"] or row["p50_ms"] <= 1000 * GOAL else " (OVER THE GOAL)"
        yield (
            f"| {row['way']}{late} | {row['count']} | {row['p50_ms']:.2f} ms | {row['p95_ms']:.2f} ms "
            f"| {row['faster_than_sdk']:.1f} x |"
        )
    yield "\n| episode of 30 commands in an open box | n | p50 | an action | faster than the CLI |"
    yield "|---|---|---|---|---|"
    for row in found["episodes"]:
        yield (
            f"| {row['way']} | {row['count']} | {row['p50_s']:.3f} s | {row['ms_an_action']:.1f} ms "
            f"| {row['faster_than_cli']:.1f} x |"
        )
    title = f"open, one command, {found['stay_s']:g} s more, close"
    yield f"\n| {title} | workers | boxes | boxes/s | wait for a box, p50 |"
    yield "|---|---|---|---|---|"
    for row in found["paces"]:
        way = row["way"] + (f" ({row['mute']} mute)" if row["mute"] else "")
        yield (
            f"| {way} | {row['workers']} | {row['boxes']} | {row['boxes_per_s']:.2f} | {row['wait_p50_ms']:.0f} ms |"
        )
    yield "\n| after `kill -9` of the factory | boxes | run on 2 s later | remains | next start | left after it |"
    yield "|---|---|---|---|---|---|"
    for row in found["kills"]:
        yield (
            f"| {row['sandbox']} | {row['boxes']} | {row['running_after_kill']} | {row['remains_after_kill']} "
            f"| {row['start_s']:.2f} s | {row['after_next_start']} |"
        )


def arguments() -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=int, default=500, help="times each of our ways runs a command")
    parser.add_argument("--every", type=int, default=5, help="the peers run in every so many rounds")
    parser.add_argument("--episodes", type=int, default=5)
    parser.add_argument("--boxes", type=int, default=16, help="for each row of boxes a second")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--stay", type=float, default=0.0, help="seconds that a worker stays in a box")
    parser.add_argument("--killed", type=int, default=4, metavar="BOXES", help="open when the factory is killed")
    parser.add_argument("--out", type=Path, help="where the figures go as JSON")
    return parser.parse_args()


async def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Every trial, one after another."""
    machine = {"python": platform.python_version(), "cpus": os.cpu_count(), "system": platform.release()}
    return {
        "machine": {**machine, "load": [round(load, 1) for load in os.getloadavg()]},
        "stay_s": asked.stay,
        "commands": of_latencies(await latencies(asked.commands, asked.every)),
        "episodes": of_episodes(await episodes(asked.episodes)),
        "paces": [of_pace(pace) for pace in await paces(asked.workers, asked.boxes, asked.stay)],
        "kills": [await killed(kind, asked.killed) for kind in ("docker", *namespaces())],
    }


def main() -> None:
    """Measure, print the tables, write the JSON; exit 1 where a goal is missed."""
    asked = arguments()
    found = asyncio.run(measure(asked))
    print("\n".join(report(found)))
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=2) + "\n")
    slow = [row for row in found["commands"] if "box" in row["way"] and row["p50_ms"] > 1000 * GOAL]
    left = [row for row in found["kills"] if row["after_next_start"] or row["boxes"] != asked.killed]
    if slow or left:
        sys.exit("a goal is missed")


if __name__ == "__main__":
    main()
