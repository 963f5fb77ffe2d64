"""`datafactory corpora`: its commands; the work of each is in a module that is imported when it is called."""

from __future__ import annotations

from pathlib import Path
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


Name = Annotated[str, typer.Argument(help="A corpus, as `corpora list` names it.")]
How = Annotated[
    str, typer.Option(metavar="RETRIEVER", help="bm25, tantivy, or as in a pipeline file: '{use: dense, model: ...}'.")
]


@corpora.command("serve")
def serve(
    name: Name,
    retriever: How = "bm25",
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0: wherever this machine is reached.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8000,
    block: Annotated[Path | None, typer.Option(help="A file of urls and patterns that nobody finds or opens.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that answer.")] = 1,
    save_address_to: Annotated[
        Path | None, typer.Option(help="A file for the address, while the server runs; or a folder for such files.")
    ] = None,
) -> None:
    """Serve searches and pages as ASearcher's server does, until Ctrl-C."""
    from datafactory.cli.searching import serve as work

    work(name, retriever, host=host, port=port, block=block, workers=workers, save_address_to=save_address_to)


@corpora.command("ask")
def ask(
    name: Name,
    queries: Annotated[list[str], typer.Argument(help="What to search for; with --pages, urls.")],
    retriever: How = "bm25",
    topk: Annotated[int, typer.Option(min=1, max=1000, help="Passages for each query.")] = 5,
    pages: Annotated[bool, typer.Option("--pages", help="Open the pages of these urls.")] = False,
    json: Json = False,
) -> None:
    """Search a corpus, here or at the server that DATAFACTORY_SEARCH_URL names."""
    from datafactory.cli.searching import ask as work

    work(name, queries, retriever, topk=topk, pages=pages, as_json=json)
