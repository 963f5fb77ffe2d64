"""`datafactory schedule`: its commands; the work of each is in `scheduling`, imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

schedule = typer.Typer(help="Regeneration jobs: pipelines that run again by the clock.", no_args_is_help=True)

Jobs = Annotated[Path, typer.Option("--jobs", metavar="DIR", help="Folder of the jobs' files.")]
BookFolder = Annotated[
    Path | None,
    typer.Option("--book", metavar="DIR", help="Where slots are kept; left out: `.book` in the jobs' folder."),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder of the runs.", envvar="DATAFACTORY_RUNS")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
JobName = Annotated[str, typer.Argument(help="A job: the name of its file.")]
JOBS, RUNS = Path("schedules"), Path("runs")


@schedule.command("run")
def run(
    jobs: Jobs = JOBS,
    book: BookFolder = None,
    runs: Runs = RUNS,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end: for another scheduler.")] = False,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="JOB", help="These jobs; again for more.")] = None,
    at_once: Annotated[int, typer.Option(min=1, help="Jobs that may run at the same time.")] = 1,
) -> None:
    """Keep the jobs: start each when its slot has come. One keeper is at work; others wait for it to stop."""
    from datafactory.cli.scheduling import run as work

    raise typer.Exit(work(jobs, book, runs, once=once, only=only or [], at_once=at_once))


@schedule.command("list")
def list_jobs(jobs: Jobs = JOBS, book: BookFolder = None, json: Json = False) -> None:
    """The jobs: when each runs next, and what came of its last slot."""
    from datafactory.cli.scheduling import list_jobs as work

    work(jobs, book, as_json=json)


@schedule.command("next")
def following(
    job: Annotated[str | None, typer.Argument(help="A job; left out: all of them.")] = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=1000, help="How many slots.")] = 5,
    jobs: Jobs = JOBS,
    json: Json = False,
) -> None:
    """The next slots."""
    from datafactory.cli.scheduling import following as work

    work(jobs, job, count, as_json=json)


@schedule.command("pause")
def pause(job: JobName, jobs: Jobs = JOBS, book: BookFolder = None) -> None:
    """Let a job rest: its slots are missed, and not made up for. A run that has begun comes to its end."""
    from datafactory.cli.scheduling import pause as work

    work(jobs, book, job, rest=True)


@schedule.command("resume")
def resume(job: JobName, jobs: Jobs = JOBS, book: BookFolder = None) -> None:
    """Let it run again, from its next slot on."""
    from datafactory.cli.scheduling import pause as work

    work(jobs, book, job, rest=False)


@schedule.command("history")
def history(
    job: Annotated[str | None, typer.Argument(help="A job; left out: all of them.")] = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many slots of each, the newest.")] = 20,
    jobs: Jobs = JOBS,
    book: BookFolder = None,
    json: Json = False,
) -> None:
    """What came of the slots, and why runs were held."""
    from datafactory.cli.scheduling import history as work

    work(jobs, book, job, count, as_json=json)


@schedule.command("release")
def release(
    job: JobName,
    slot: Annotated[str, typer.Argument(help="A slot that is held, as history names it.")],
    jobs: Jobs = JOBS,
    book: BookFolder = None,
    runs: Runs = RUNS,
) -> None:
    """Publish a run that was held, after a person looked at it."""
    from datafactory.cli.scheduling import release as work

    raise typer.Exit(work(jobs, book, runs, job, slot))


@schedule.command("export")
def export(
    to: Annotated[str, typer.Option(help="crontab, systemd, kubernetes or hf-jobs.")],
    only: Annotated[list[str] | None, typer.Option("--only", metavar="JOB", help="These jobs; again for more.")] = None,
    jobs: Jobs = JOBS,
    book: BookFolder = None,
    runs: Runs = RUNS,
    image: Annotated[str, typer.Option(help="An image with datafactory in it (kubernetes, hf-jobs).")] = "",
    volume: Annotated[str, typer.Option(help="A PersistentVolumeClaim (kubernetes) or a bucket (hf-jobs).")] = "",
    folder: Annotated[Path | None, typer.Option(help="Where the command is called; left out: here.")] = None,
) -> None:
    """The jobs for another scheduler, which then wakes `schedule run --once`."""
    from datafactory.cli.scheduling import export as work

    work(jobs, book, runs, to, only or [], image=image, volume=volume, folder_there=folder)
