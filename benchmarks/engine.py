"""The engine benchmark: calls a second, durability under `kill -9` and memory, side by side with peers in one run.

    python benchmarks/engine.py --peer curator=/path/to/venv/bin/python --out engine.json

Every engine asks the same mock server (a process of its own, fixed latency) and is started the same way,
one at a time. `calls/s` is what the server saw, from the first call to the last answer; `wall calls/s`
includes starting the process. Goals: at least 900 calls/s durable, at most `--at-once` calls sent again
after a kill at half, memory flat from 3k to 100k records.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
POLL = 0.02
"""Seconds between looks at the server's count before a kill."""


@dataclass(frozen=True)
class Engine:
    """A worker script and the Python that runs it."""

    name: str
    python: str
    script: Path
    finished: Callable[[Path], list[str]]
    """The keys of the finished records in a folder."""
    flags: tuple[str, ...] = ()
    """Further flags of the script."""

    def start(self, folder: Path, count: int, at_once: int, url: str | None) -> subprocess.Popen[str]:
        """A process that answers `count` questions and prints a line of JSON."""
        command = [self.python, str(self.script), "--folder", str(folder), "--count", str(count)]
        command += ["--at-once", str(at_once), *(["--url", url] if url else []), *self.flags]
        errors = (folder / "stderr.txt").open("a")
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)

    def run(self, folder: Path, count: int, at_once: int, url: str | None) -> dict[str, Any]:
        """Run to the end: what the worker printed, and `wall` seconds."""
        began = time.monotonic()
        process = self.start(folder, count, at_once, url)
        said, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"{self.name} failed:\n{(folder / 'stderr.txt').read_text()[-3000:]}")
        return {**json.loads(said.splitlines()[-1]), "wall": time.monotonic() - began}


@contextmanager
def mock_server(latency: float) -> Iterator[str]:
    """The server in a process of its own; its address."""
    command = [sys.executable, str(HERE / "mock_server.py"), "--latency", str(latency)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def ask(address: str, path: str, *, post: bool = False) -> dict[str, Any]:
    """A control call to the server."""
    request = urllib.request.Request(address + path, data=b"" if post else None)
    with urllib.request.urlopen(request) as answer:
        row: dict[str, Any] = json.load(answer)
        return row


@contextmanager
def folder_of(root: Path, name: str) -> Iterator[Path]:
    """A fresh folder, gone at the end."""
    folder = root / name
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def speed(engine: Engine, root: Path, address: str, count: int, at_once: int) -> dict[str, Any]:
    """One trial at `count` calls."""
    ask(address, "/reset", post=True)
    with folder_of(root, f"{engine.name}-{count}") as folder:
        done = engine.run(folder, count, at_once, f"{address}/v1")
        keys = engine.finished(folder)
    seen = ask(address, "/stats")
    exact = len(keys) == len(set(keys)) == count
    return {
        "count": count,
        "calls_per_s": count / seen["seconds"],
        "wall_calls_per_s": count / done["wall"],
        "seconds": seen["seconds"],
        "fill": seen["mean"] / at_once,
        "most": seen["most"],
        "sent": seen["served"],
        "rss_mb": done["rss_mb"],
        "cpu_ms_per_call": 1000 * done["cpu_s"] / count,
        "exact": exact,
    }


def killed(engine: Engine, root: Path, address: str, count: int, at_once: int) -> dict[str, Any]:
    """`kill -9` when half was served, then the same command again: how many calls were paid for twice."""
    ask(address, "/reset", post=True)
    with folder_of(root, f"{engine.name}-kill") as folder:
        process = engine.start(folder, count, at_once, f"{address}/v1")
        while ask(address, "/stats")["served"] < count // 2 and process.poll() is None:
            time.sleep(POLL)
        early = process.poll() is not None
        process.kill()
        process.wait()
        at_kill = ask(address, "/stats")
        engine.run(folder, count, at_once, f"{address}/v1")
        keys = engine.finished(folder)
    served = ask(address, "/stats")["served"]
    return {
        "count": count,
        "killed_at": at_kill["served"],
        "ended_before_the_kill": early,
        "sent_again": served - count,
        "lost": count - len(set(keys)),
        "duplicates": len(keys) - len(set(keys)),
    }


def memory(engine: Engine, root: Path, counts: list[int], at_once: int) -> list[dict[str, Any]]:
    """Resident memory and records a second of the engine alone, with no server to wait for."""
    rows = []
    for count in counts:
        with folder_of(root, f"{engine.name}-memory-{count}") as folder:
            done = engine.run(folder, count, at_once, None)
        rows.append({"count": count, "rss_mb": done["rss_mb"], "records_per_s": count / done["seconds"]})
    return rows


def shelf_keys(folder: Path) -> list[str]:
    """Of the factory: what stands in the shelf's journal."""
    with (folder / "shelf" / "records.jsonl").open() as file:
        return [json.loads(line)["id"] for line in file]


def printed_keys(folder: Path) -> list[str]:
    """Of a peer: what its worker wrote down from its result."""
    return (folder / "keys.txt").read_text().split()


def measure(engine: Engine, root: Path, address: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Every trial of one engine."""
    small, large = asked.counts
    trials = {count: speed(engine, root, address, count, asked.at_once) for count in (small, large)}
    more = trials[large]["seconds"] - trials[small]["seconds"]
    return {
        "engine": engine.name,
        "trials": list(trials.values()),
        "marginal_calls_per_s": (large - small) / more if more > 0 else None,
        "kill": killed(engine, root, address, large, asked.at_once),
    }


def report(results: list[dict[str, Any]], rows: list[dict[str, Any]]) -> Iterator[str]:
    """Markdown tables; the last column compares with the first engine, the factory."""
    yield "| engine | calls | calls/s | wall calls/s | in flight (mean) | CPU ms/call | RSS peak | the factory is |"
    yield "|---|---|---|---|---|---|---|---|"
    for result in results:
        for trial, ours in zip(result["trials"], results[0]["trials"], strict=True):
            ratio = ours["calls_per_s"] / trial["calls_per_s"]
            yield (
                f"| {result['engine']}{'' if trial['exact'] else ' (NOT EXACT)'} | {trial['count']:,} "
                f"| {trial['calls_per_s']:,.0f} | {trial['wall_calls_per_s']:,.0f} | {trial['fill']:.0%} "
                f"| {trial['cpu_ms_per_call']:.2f} | {trial['rss_mb']:,.0f} MB | {ratio:.2f} x |"
            )
    yield ""
    yield "| engine | marginal calls/s | killed at | sent again | lost | duplicates |"
    yield "|---|---|---|---|---|---|"
    for result in results:
        kill, marginal = result["kill"], result["marginal_calls_per_s"]
        shown = "-" if marginal is None else f"{marginal:,.0f}"
        yield (
            f"| {result['engine']} | {shown} | {kill['killed_at']:,} of {kill['count']:,} "
            f"| {kill['sent_again']} | {kill['lost']} | {kill['duplicates']} |"
        )
    yield ""
    yield "| records (no server) | RSS peak | records/s |"
    yield "|---|---|---|"
    for row in rows:
        yield f"| {row['count']:,} | {row['rss_mb']:,.0f} MB | {row['records_per_s']:,.0f} |"


def arguments() -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs=2, default=[3000, 9000], metavar=("SMALL", "LARGE"))
    parser.add_argument("--memory", type=int, nargs="*", default=[3000, 100_000], metavar="RECORDS")
    parser.add_argument("--at-once", type=int, default=256)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds")
    parser.add_argument("--bare", action="store_true", help="also the factory without its ledger of calls")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON", help="curator=/path/to/python")
    parser.add_argument("--out", type=Path, help="where the figures go as JSON")
    return parser.parse_args()


def main() -> None:
    """Measure every engine in turn, print the tables, write the JSON."""
    asked = arguments()
    worker = HERE / "engine_worker.py"
    engines = [Engine("datafactory", sys.executable, worker, shelf_keys)]
    if asked.bare:
        engines.append(Engine("no ledger", sys.executable, worker, shelf_keys, ("--bare",)))
    for peer in asked.peer:
        name, _, python = peer.partition("=")
        engines.append(Engine(name, python or sys.executable, HERE / f"engine_peer_{name}.py", printed_keys))
    with tempfile.TemporaryDirectory(prefix="engine-") as root, mock_server(asked.latency) as address:
        results = [measure(engine, Path(root), address, asked) for engine in engines]
        rows = memory(engines[0], Path(root), asked.memory, asked.at_once)
    print("\n".join(report(results, rows)))
    if asked.out:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.release()}
        made = {"machine": machine, "at_once": asked.at_once, "latency_s": asked.latency}
        asked.out.write_text(json.dumps({**made, "engines": results, "memory": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
