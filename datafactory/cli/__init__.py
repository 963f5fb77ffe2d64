"""The command line: `datafactory`. Each command's work is in the module of its name, imported when it is called.

Exit codes: 0 done; 1 the run cannot go on, or data is unreadable; 2 a mistake in the command or the pipeline
file; 3 finished, but the infrastructure lost items (run the same command again); 4 the fuse; 5 this machine
lacks something; 6 the budget is spent; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from datafactory.cli.corpora import corpora
from datafactory.cli.layers import layers
from datafactory.cli.schedule import schedule
from datafactory.formats import FORMATS

app = typer.Typer(
    name="datafactory",
    help="A factory for verified agentic training data.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
)

Runs = Annotated[Path, typer.Option("--runs", help="Folder of the runs.", envvar="DATAFACTORY_RUNS")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
RunName = Annotated[str, typer.Argument(help="A run: its name, or its folder.")]
PipelinePath = Annotated[Path, typer.Argument(help="The pipeline file (YAML).")]
RUNS = Path("runs")
EXPORTS = f"One of {', '.join(FORMATS)}."


@app.command()
def run(
    pipeline: PipelinePath,
    runs: Runs = RUNS,
    from_stage: Annotated[
        str | None, typer.Option("--from", metavar="STAGE", help="Make this stage and those after it anew.")
    ] = None,
    ask_again: Annotated[
        bool, typer.Option("--ask-again", help="Pay for every answer anew, also for those that are on disk.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, run nothing.")] = False,
    accept_failures: Annotated[
        bool, typer.Option("--accept-failures", help="Go on without the items that the infrastructure lost.")
    ] = False,
    json: Json = False,
) -> None:
    """Run a pipeline, or go on with one that was stopped: nothing that is finished is paid for twice."""
    from datafactory.cli.running import run as work

    raise typer.Exit(
        work(
            pipeline,
            runs,
            from_stage=from_stage,
            ask_again=ask_again,
            dry_run=dry_run,
            accept_failures=accept_failures,
            as_json=json,
        )
    )


@app.command()
def plan(pipeline: PipelinePath, runs: Runs = RUNS, json: Json = False) -> None:
    """What a run would do: what is done already, what is left, and what it would cost in calls and boxes."""
    from datafactory.cli.planning import plan as work

    work(pipeline, runs, as_json=json)


@app.command()
def show(
    run: RunName,
    id: Annotated[str | None, typer.Argument(help="A task or a trajectory: its id, or the start of it.")] = None,
    runs: Runs = RUNS,
    json: Json = False,
) -> None:
    """The funnel of a run (made, sound, tried, solved, kept; by generator and reason), or one record."""
    from datafactory.cli.showing import show as work

    work(run, id, runs, as_json=json)


@app.command()
def report(
    run: RunName,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Where to write it; left out: RUN.html here.")
    ] = None,
    runs: Runs = RUNS,
) -> None:
    """Write a run as one HTML page: funnel, yields, lengths, judges, losses, and its attempts to search and read."""
    from datafactory.cli.reporting import report as work

    work(run, runs, to=to)


@app.command()
def judges(
    run: RunName,
    runs: Runs = RUNS,
    plots: Annotated[
        Path | None, typer.Option("--plots", metavar="DIR", help="Draw calibration, ROC and more there, PNG and SVG.")
    ] = None,
    json: Json = False,
) -> None:
    """How far the judges of a run agree with its verdicts: accuracy on pairs, ROC AUC, calibration, best of k."""
    from datafactory.cli.judging import judges as work

    work(run, runs, plots=plots, as_json=json)


@app.command()
def scores(run: RunName, runs: Runs = RUNS, json: Json = False) -> None:
    """What a run's student learned: pass@1 and pass@k beside its base's, by domain, with intervals and overlap."""
    from datafactory.cli.scoring import scores as work

    work(run, runs, as_json=json)


@app.command()
def select(
    run: RunName,
    file: Annotated[
        Path | None, typer.Option("--with", metavar="FILE", help="Filters: a list, or a pipeline file with a select.")
    ] = None,
    filters: Annotated[
        str | None, typer.Option("--filters", metavar="YAML", help="Filters, as a pipeline file writes them.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="FILE", help="Compare with these, not with the run's own.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Write what is kept to this folder.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, write nothing.")] = False,
    runs: Runs = RUNS,
    json: Json = False,
) -> None:
    """Try filters on a finished run: what each would drop and why, and what that changes; nothing is made anew."""
    from datafactory.cli.selecting import select as work

    work(run, runs, file=file, text=filters, baseline=baseline, to=to, dry_run=dry_run, as_json=json)


@app.command()
def mixture(
    run: RunName,
    file: Annotated[
        Path | None, typer.Option("--with", metavar="FILE", help="A curriculum, or a pipeline file with an arrange.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the draws; left out: the run's.")] = None,
    runs: Runs = RUNS,
    json: Json = False,
) -> None:
    """The plan of a mixture: what a curriculum would make of a finished run, by domain, generator and phase."""
    from datafactory.cli.mixing import mixture as work

    work(run, runs, file=file, seed=seed, as_json=json)


@app.command()
def replay(
    run: RunName,
    id: Annotated[str, typer.Argument(help="A trajectory: TASK/ATTEMPT, or the start of it.")],
    runs: Runs = RUNS,
    step: Annotated[bool, typer.Option("--step/--all", help="Wait for a key after each turn, or print all.")] = True,
) -> None:
    """Replay a trajectory turn by turn in the terminal."""
    from datafactory.cli.replaying import replay as work

    work(run, id, runs, step=step)


@app.command()
def fsck(
    run: RunName,
    runs: Runs = RUNS,
    repair: Annotated[
        bool, typer.Option("--repair", help="Take out what is damaged; the next run makes it again.")
    ] = False,
    json: Json = False,
) -> None:
    """Look over a run's files for what a disk did to them: lines, tables, calls."""
    from datafactory.cli.checking import fsck as work

    raise typer.Exit(work(run, runs, repair=repair, as_json=json))


@app.command()
def serve(
    runs: Runs = RUNS,
    host: Annotated[str, typer.Option(help="Address to listen at; others than this machine's show runs to all.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8080,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Another name that browsers call it by; again for more.")
    ] = None,
) -> None:
    """Show runs in the browser while they go on: their numbers, and every attempt."""
    from datafactory.cli.watching import serve as work

    work(runs, host, port, name or [])


@app.command()
def export(
    run: RunName,
    to: Annotated[Path, typer.Argument(help="Folder to write; it must be empty or new.")],
    format: Annotated[str, typer.Option(help=EXPORTS)] = "messages",
    solved: Annotated[bool, typer.Option("--solved", help="Solved attempts only.")] = False,
    kept: Annotated[bool, typer.Option("--kept", help="Only attempts that the filters kept.")] = False,
    runs: Runs = RUNS,
    json: Json = False,
) -> None:
    """Write a run's tasks or trajectories in another tool's format."""
    from datafactory.cli.exporting import export as work

    work(run, to, format, runs, solved=solved, kept=kept, as_json=json)


@app.command()
def explain(
    kind: Annotated[str | None, typer.Argument(help="stage, generator, sandbox, teacher, filter, curriculum.")] = None,
    name: Annotated[str | None, typer.Argument(help="A name in the pipeline file, or package.module:Class.")] = None,
    json: Json = False,
) -> None:
    """What a component does and every key that it takes; without a name, which there are."""
    from datafactory.cli.explaining import explain as work

    work(kind, name, as_json=json)


@app.command()
def doctor(json: Json = False) -> None:
    """What this machine can do, what is missing and how to get it."""
    from datafactory.cli.doctoring import doctor as work

    raise typer.Exit(work(as_json=json))


images = typer.Typer(help="Images of boxes for the docker sandbox.", no_args_is_help=True)
app.add_typer(images, name="images")


@images.command("build")
def images_build(
    names: Annotated[list[str] | None, typer.Argument(help="Images to build; none: all.")] = None,
    how: Annotated[
        str, typer.Option(help="auto, registry (pull the base), or bootstrap (debootstrap, no registry).")
    ] = "auto",
) -> None:
    """Build the base image and the domain images."""
    from datafactory.cli.imaging import build as work

    work(names or [], how)


app.add_typer(corpora, name="corpora")
app.add_typer(schedule, name="schedule")
app.add_typer(layers, name="layers")


@app.callback(invoke_without_command=True)
def version(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """A factory for verified agentic training data: synthesize, roll out, verify, curate, distil."""
    if show_version:
        from datafactory import __version__

        typer.echo(f"datafactory {__version__}")
        raise typer.Exit


def main() -> None:
    """The entry point of the command: errors of ours are said in a line or two, and set the exit code."""
    for room in ("generators", "sandboxes", "filters", "sft"):
        importlib.import_module(room)  # ours, whatever lies in the current folder under such a name
    sys.path.insert(0, "")  # a class of the user's own, package.module:Class, is looked for here
    from datafactory.cli.exits import said

    with said():
        app()
