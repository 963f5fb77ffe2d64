"""`datafactory run`: check, run, and say how it ended."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from datafactory.cli import exits
from datafactory.cli.progress import Watcher, watcher
from datafactory.pipeline import Execution, Pipeline, load, set_aside


def run(path: Path, runs: Path, *, from_stage: str | None, dry_run: bool, accept_failures: bool, as_json: bool) -> int:
    """Run the pipeline file at `path`; returns the exit code."""
    pipeline = load(path)
    folder = runs / pipeline.name
    if dry_run:
        from datafactory.cli.planning import plan

        plan(path, runs, as_json=as_json)
        return exits.DONE
    if from_stage is not None:
        for moved in set_aside(pipeline, folder, from_stage):
            print(f"set aside: {moved}", file=sys.stderr)
    execution = Execution(pipeline, folder, accept_failures=accept_failures)
    stopped = asyncio.run(_watched(execution, watcher(execution, quiet=as_json)))
    summary = _summary(execution)
    if as_json:
        print(json.dumps({**summary, "stopped": stopped}))
    if stopped:
        again = f"datafactory run {path}"
        print(f"stopped; everything finished is on disk. Go on with: {again}", file=sys.stderr)
        return exits.STOPPED
    return _end(execution, pipeline, path, as_json=as_json)


async def _watched(execution: Execution, watching: Watcher) -> bool:
    """Run with live progress; True where a signal stopped it."""
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(execution.run())
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if stopped:  # the second time: do not wait for boxes to close
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.raise_signal(signal.SIGINT)
        stopped = True
        print("stopping: closing what is open (again to leave at once)", file=sys.stderr)
        work.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    drawing = asyncio.create_task(watching.watch())
    try:
        await work
    except asyncio.CancelledError:
        if not stopped:
            raise
    finally:
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)
        watching.close()
    return stopped


def _summary(execution: Execution) -> dict[str, Any]:
    return {
        "run": str(execution.folder),
        "complete": execution.complete,
        "stages": [
            {
                "stage": station.planned.name,
                "folder": str(station.shelf.folder),
                "state": station.state,
                "kept": station.shelf.kept,
                "rejected": dict(station.shelf.dropped.most_common()),
                "lost": len(station.shelf.lost),
                "rate_per_s": round(station.run.progress.rate, 3),
            }
            for station in execution.stations
        ],
    }


def _end(execution: Execution, pipeline: Pipeline, path: Path, *, as_json: bool) -> int:
    if execution.complete:
        if not as_json:
            last = execution.stations[-1].shelf
            print(f"done: {last.kept:,} records in {last.folder}; look at them with: datafactory show {pipeline.name}")
        return exits.DONE
    lost = [(s.planned.name, len(s.shelf.lost)) for s in execution.stations if s.state == "short"]
    said = ", ".join(f"{count} in {name}" for name, count in lost)
    print(
        f"error: the infrastructure lost {execution.lost} items ({said}); they are in failures.jsonl and count for "
        f"nothing. Run the same command again to try them once more, or add --accept-failures to go on without them: "
        f"datafactory run {path}",
        file=sys.stderr,
    )
    return exits.LOST
