"""`datafactory corpora`: its commands; the work of each is in a module that is imported when it is called."""

from __future__ import annotations

from typing import Annotated

import typer

corpora = typer.Typer(help="Corpora: linked pages, stored for search.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@corpora.command("build")
def build(
    source: Annotated[
        str, typer.Argument(help="A YAML file that names corpora; with --use, a folder, a file or a data set.")
    ],
    use: Annotated[
        str | None, typer.Option("--use", metavar="KIND", help="html, markdown, jsonl, huggingface or dict.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call it; left out: as its folder or file.")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other key of the kind; again for more.")
    ] = None,
    json: Json = False,
) -> None:
    """Read a corpus and store it, unless this machine has it already."""
    from datafactory.cli.stocking import build as work

    work(source, use, name, options or [], as_json=json)


@corpora.command("list")
def list_corpora(
    check: Annotated[bool, typer.Option("--check", help="Read them all, to see whether they are whole.")] = False,
    json: Json = False,
) -> None:
    """The corpora of this machine, and what they take of its disk."""
    from datafactory.cli.stocking import list_corpora as work

    work(check=check, as_json=json)


@corpora.command("remove")
def remove(
    names: Annotated[list[str], typer.Argument(help="Corpora, as `corpora list` names them.")],
    yes: Yes = False,
) -> None:
    """Delete corpora and the indexes beside them."""
    from datafactory.cli.stocking import remove as work

    work(names, yes=yes)
