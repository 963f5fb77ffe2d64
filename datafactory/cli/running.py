"""`datafactory run`: check, run, and say how it ended."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

from datafactory.cli import exits
from datafactory.cli.printing import clean
from datafactory.cli.progress import Watcher, watcher
from datafactory.cli.spent import as_row, in_words
from datafactory.pipeline import Execution, load, set_aside


def run(
    path: Path,
    runs: Path,
    *,
    from_stage: str | None,
    ask_again: bool,
    dry_run: bool,
    accept_failures: bool,
    as_json: bool,
) -> int:
    """Run the pipeline file at `path`; returns the exit code."""
    pipeline = load(path)
    folder = runs / pipeline.name
    if dry_run:
        from datafactory.cli.planning import plan

        plan(path, runs, as_json=as_json)
        return exits.DONE
    if from_stage is not None or ask_again:
        for moved in set_aside(pipeline, folder, from_stage, calls=ask_again):
            print(f"set aside: {moved}", file=sys.stderr)
    execution = Execution(pipeline, folder, accept_failures=accept_failures)
    stopped = asyncio.run(_watched(execution, watcher(execution, quiet=as_json)))
    summary = _summary(execution)
    if as_json:
        print(json.dumps({**summary, "stopped": stopped}))
    if stopped:
        print(f"stopped; everything finished is on disk. Go on with: {_command('run', path, runs)}", file=sys.stderr)
        return exits.STOPPED
    return _end(execution, _command("run", path, runs), _command("show", pipeline.name, runs), as_json=as_json)


def _command(verb: str, what: Path | str, runs: Path) -> str:
    """A command line that finds the same runs again."""
    elsewhere = [] if runs == Path("runs") else ["--runs", str(runs)]
    return shlex.join(["datafactory", verb, str(what), *elsewhere])


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

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
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
        "capped": execution.capped or None,
        "spent": None if execution.account is None else as_row(execution.account.spent),
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


def _end(execution: Execution, again: str, look: str, *, as_json: bool) -> int:
    if execution.capped:
        _say(_cap(execution, again))
    if execution.lost:
        _say(_losses(execution, again))
    if not execution.complete:
        return exits.CAPPED if execution.capped else exits.LOST
    last = execution.stations[-1].shelf
    if not last.kept:
        why = "; ".join(
            f"{s.planned.name} rejected {s.shelf.dropped.total():,}" for s in execution.stations if s.shelf.dropped
        )
        _say(f"error: complete, but no record is left{f' ({why})' if why else ''}; see: {look}")
        return exits.FAILED
    if not as_json:
        print(f"done: {last.kept:,} records in {last.folder}; look at them with: {look}")
        if execution.account is not None and (execution.account.spent.calls or execution.account.found):
            replayed = f"; {execution.account.found:,} answers came from the ledger" if execution.account.found else ""
            print(f"teachers, in all: {in_words(execution.account.spent)}{replayed}")
    return exits.DONE


def _cap(execution: Execution, again: str) -> str:
    assert execution.account is not None
    capped = [station for station in execution.stations if station.state == "capped"]
    left = ", ".join(f"{station.run.progress.unpaid:,} items of {station.planned.name}" for station in capped)
    way = f"raise the cap in {execution.pipeline.path} and go on with: {again}"
    return (
        f"stopped cleanly: {execution.capped}. In all the run spent {in_words(execution.account.spent)}.\n"
        f"Put off: {left}. What was paid for is on disk: {way}"
    )


def _losses(execution: Execution, again: str) -> str:
    short = [station for station in execution.stations if station.state == "short"]
    counted = ", ".join(f"{len(station.shelf.lost):,} in {station.planned.name}" for station in short)
    causes = {f"{what}: {said}" for s in short for what, said in s.run.progress.last_errors.items()}
    listed = "".join(f"\n  {cause}" for cause in sorted(causes))
    more = "" if execution.accept_failures else ", or add --accept-failures to go on without them"
    return (
        f"error: the infrastructure lost items: {counted}; they are in failures.jsonl and count for nothing.{listed}\n"
        f"Mend the cause and run the same command again to try them once more{more}: {again}"
    )


def _say(text: str) -> None:
    for line in text.splitlines():
        print(clean(line), file=sys.stderr)
