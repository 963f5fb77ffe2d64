"""The work of `datafactory schedule`: keep jobs, and look at them."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from datafactory.cli import exits
from datafactory.cli.printing import clean, console, say_json, words
from datafactory.errors import ConfigError, DataError
from datafactory.registry import suggest
from datafactory.scheduling import (
    Book,
    Commands,
    Job,
    JobFolder,
    Keeper,
    Lease,
    MachineClock,
    Slot,
    chosen,
    load_jobs,
)
from datafactory.scheduling.due import pass_over
from datafactory.scheduling.exporting import FORMS, Place
from datafactory.scheduling.slots import endless

_LEASE = "keeper"


def run(folder: Path, book: Path | None, runs: Path, *, once: bool, only: Sequence[str], at_once: int) -> int:
    """Keep the jobs until a signal comes; with `once`, do what is due."""
    clock, kept = MachineClock(), _book(folder, book)
    lease = Lease(kept.folder / _LEASE, clock)
    jobs = JobFolder(folder, only)
    if not jobs():
        raise DataError(f"{folder}: no jobs; they are YAML files in it (docs/schedule.md)")
    worker = Commands(kept, runs, clock)
    keeper = Keeper(jobs, kept, worker, lease, at_once=at_once, say=_say)
    if once:
        if not asyncio.run(_until_signal(keeper.once())):
            _say(f"{lease.who()} keeps these jobs; nothing was done")
        return exits.DONE
    asyncio.run(_until_signal(keeper.keep()))
    return exits.STOPPED


async def _until_signal(work: Any) -> Any:
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        _say("stopped; runs that were begun go on with the next keeper")
        return True


def list_jobs(folder: Path, book: Path | None, *, as_json: bool) -> None:
    """Print each job with its next slot and its last."""
    kept, rows = _book(folder, book), []
    for job in load_jobs(folder):
        last = next(iter(reversed(list(kept.slots(job.name)))), None)
        rows.append({**_job_row(job, kept), "last": None if last is None else _slot_row(last)})
    if as_json:
        say_json(rows)
        return
    table = _table("job", "when", "next", "last", "")
    for row in rows:
        came = f"{row['last']['slot']} {row['last']['state']}" if row["last"] else "-"
        table.add_row(
            *map(words, (row["job"], f"{row['cron']} {row['timezone']}", row["next"] or "-", came, row["state"]))
        )
    console().print(table)


def following(folder: Path, name: str | None, count: int, *, as_json: bool) -> None:
    """Print the next slots of each job."""
    rows = [
        {"job": job.name, "slots": [_local(job, at) for at in islice(_ahead(job), count)]}
        for job in _chosen(folder, [name] if name else [])
    ]
    if as_json:
        say_json(rows)
        return
    for row in rows:
        print(f"{clean(row['job'])}\n  " + "\n  ".join(row["slots"]))


def pause(folder: Path, book: Path | None, name: str, *, rest: bool) -> None:
    """Let a job rest, or run again."""
    kept = _book(folder, book)
    job = _chosen(folder, [name])[0]
    kept.since(job.name, datetime.now(UTC))
    if not rest and kept.is_paused(job.name):
        pass_over(job, kept, datetime.now(UTC), "")
    kept.pause(job.name, rest=rest)
    print(f"{clean(job.name)} {'rests' if rest else 'runs again'}")


def history(folder: Path, book: Path | None, name: str | None, count: int, *, as_json: bool) -> None:
    """Print what came of the newest slots."""
    kept = _book(folder, book)
    found = [slot for job in _chosen(folder, [name] if name else []) for slot in list(kept.slots(job.name))[-count:]]
    if as_json:
        say_json([_slot_row(slot) for slot in found])
        return
    table = _table("job", "slot", "state", "took", "rows", "why")
    for slot in found:
        took = f"{(slot.ended - slot.began).total_seconds():,.0f} s" if slot.began and slot.ended else "-"
        rows = slot.facts.get("rows")
        why = "; ".join(slot.reasons) or (f"stands for {slot.besides:,} more" if slot.besides else "")
        row = (slot.job, slot.stamp, slot.state, took, "-" if rows is None else f"{rows:,}", why)
        table.add_row(*map(words, row))
    console().print(table)


def release(folder: Path, book: Path | None, runs: Path, name: str, stamp: str) -> int:
    """Publish what was held; returns the exit code."""
    kept = _book(folder, book)
    job, slot = _chosen(folder, [name])[0], kept.find(name, stamp)
    if slot.state != "held":
        raise DataError(f"{name} {stamp} is {slot.state}, not held")
    if job.file.publish is None:
        raise ConfigError(f"{job.path}: publish: says not where to")
    made = asyncio.run(Commands(kept, runs, MachineClock()).publish(job, slot))
    kept.write(made)
    _say(f"{name} {stamp}: {made.state}{': ' + '; '.join(made.reasons) if made.reasons else ''}")
    return exits.DONE if made.state == "published" else exits.FAILED


def export(
    folder: Path,
    book: Path | None,
    runs: Path,
    to: str,
    only: Sequence[str],
    *,
    image: str,
    volume: str,
    folder_there: Path | None,
) -> None:
    """Print the jobs as another scheduler reads them."""
    if to not in FORMS:
        raise ConfigError(f"--to {clean(to)}: no such scheduler{suggest(to, list(FORMS))}")
    where = folder_there or Path.cwd()
    place = Place(where, folder, _book(folder, book).folder, runs, image=image, volume=volume)
    print(FORMS[to](_chosen(folder, only), place), end="")


def _book(folder: Path, book: Path | None) -> Book:
    return Book(book if book is not None else folder / ".book")


def _chosen(folder: Path, names: Sequence[str]) -> list[Job]:
    return chosen(load_jobs(folder), names)


def _ahead(job: Job) -> Any:
    return endless(job.file.cron, job.file.timezone, datetime.now(UTC))


def _job_row(job: Job, book: Book) -> dict[str, Any]:
    ahead = next(_ahead(job), None)
    return {
        "job": job.name,
        "cron": job.file.cron,
        "timezone": job.file.timezone,
        "pipeline": str(job.pipeline),
        "next": None if ahead is None else _local(job, ahead),
        "state": "paused" if book.is_paused(job.name) else "",
    }


def _slot_row(slot: Slot) -> dict[str, Any]:
    return {"slot": slot.stamp, **slot.model_dump(mode="json")}


def _local(job: Job, at: datetime) -> str:
    return at.astimezone(ZoneInfo(job.file.timezone)).isoformat(timespec="minutes")


def _table(*columns: str) -> Any:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _say(line: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z {clean(line)}", file=sys.stderr, flush=True)
