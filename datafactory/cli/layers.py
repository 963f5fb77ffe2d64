"""`datafactory layers`: its commands; the work of each is in a module that is imported when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

layers = typer.Typer(help="Layers: repositories that were set up, kept for boxes.", no_args_is_help=True)

Runs = Annotated[Path, typer.Option("--runs", help="Folder of the runs.", envvar="DATAFACTORY_RUNS")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
RUNS = Path("runs")


@layers.command("list")
def layers_list(runs: Runs = RUNS, json: Json = False) -> None:
    """The layers of this machine, what they take of its disk and who uses them."""
    from datafactory.cli.layering import list_layers as work

    work(runs, as_json=json)


@layers.command("prune")
def layers_prune(
    names: Annotated[list[str] | None, typer.Argument(help="Only these; patterns such as 'toolz-*' are taken.")] = None,
    unused: Annotated[str | None, typer.Option(help="Those not used for so long: 30d, 12h.")] = None,
    keep: Annotated[str | None, typer.Option(help="Those used longest ago, until the rest takes so much: 10g.")] = None,
    strays: Annotated[bool, typer.Option("--strays", help="Images of layers that are not kept here.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, delete nothing.")] = False,
    yes: Yes = False,
    runs: Runs = RUNS,
) -> None:
    """Delete layers that are not in use, and always what is damaged or left over."""
    from datafactory.cli.pruning import prune as work

    work(names or [], runs, unused=unused, keep=keep, strays=strays, dry_run=dry_run, yes=yes)


@layers.command("remove")
def layers_remove(
    names: Annotated[list[str], typer.Argument(help="Layers, as `layers list` names them.")],
    yes: Yes = False,
    runs: Runs = RUNS,
) -> None:
    """Delete these layers: files, images in the Docker engine, and what is on file of their environments."""
    from datafactory.cli.pruning import remove as work

    work(names, runs, yes=yes)
