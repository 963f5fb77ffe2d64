"""`datafactory corpora serve` and `ask`: a corpus open for search, for other programs and for people."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import yaml

from datafactory.cli.printing import console, say_json, words
from datafactory.corpora.blocking import NOTHING, Blocklist
from datafactory.corpora.library import LONGEST, opened
from datafactory.corpora.retrievers import Retriever
from datafactory.errors import ConfigError
from datafactory.registry import Problem, build
from datafactory.types import Hit, Page


def serve(
    corpus: str,
    retriever: str,
    *,
    host: str,
    port: int,
    block: Path | None,
    workers: int,
    save_address_to: Path | None,
) -> None:
    """Answer requests until it is stopped."""
    from datafactory.corpora.corpus import find
    from datafactory.corpora.server.serving import serve as work

    found = find(corpus)

    def ready(address: str) -> None:
        out = console()
        out.print(words(f"{found.name}, {len(found):,} pages: http://{address}"))
        out.print(words(f"export DATAFACTORY_SEARCH_URL=http://{address}", "dim"))

    work(
        found,
        named(retriever),
        host=host,
        port=port,
        blocked=Blocklist.read(block) if block else NOTHING,
        workers=workers,
        save_address_to=save_address_to,
        ready=ready,
    )


def ask(corpus: str, queries: list[str], retriever: str, *, topk: int, pages: bool, as_json: bool) -> None:
    """Print what is found, or with `pages` the pages of urls."""
    chosen = named(retriever)
    if pages:
        _show_pages(queries, asyncio.run(_access(corpus, chosen, queries)), as_json=as_json)
    else:
        _show_hits(queries, asyncio.run(_retrieve(corpus, chosen, queries, topk)), as_json=as_json)


def named(text: str) -> Retriever:
    """A retriever as it is written in a pipeline file: a name, or `{use: dense, model: ...}`. Raises ConfigError."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--retriever: {error}") from error
    problems: list[Problem] = []
    made = build("retriever", value, ("--retriever",), problems)
    problems += [Problem(("--retriever",), said) for said in made.problems()] if made is not None else []
    if problems:
        raise ConfigError([str(problem) for problem in problems])
    return cast(Retriever, made)


async def _retrieve(corpus: str, retriever: Retriever, queries: list[str], topk: int) -> list[list[Hit]]:
    async with opened(corpus, retriever) as library:
        return await library.retrieve(queries, topk=topk)


async def _access(corpus: str, retriever: Retriever, urls: list[str]) -> list[Page | None]:
    async with opened(corpus, retriever) as library:
        return await library.access(urls)


def _show_hits(queries: list[str], found: list[list[Hit]], *, as_json: bool) -> None:
    if as_json:
        rows = zip(queries, found, strict=True)
        say_json([{"query": query, "hits": [_row(hit) for hit in hits]} for query, hits in rows])
        return
    out = console()
    for query, hits in zip(queries, found, strict=True):
        if len(queries) > 1:
            out.print(words(query[:LONGEST], "bold"))
        if not hits:
            out.print(words("nothing found", "dim"))
        for hit in hits:
            out.print(words(f"{hit.title}  ", "bold") + words(f"{hit.url}  {hit.score:.2f}", "dim"))
            out.print(words(hit.text))
            out.print()


def _show_pages(urls: list[str], found: list[Page | None], *, as_json: bool) -> None:
    if as_json:
        say_json([None if page is None else {**_named(page), "links": list(page.links)} for page in found])
        return
    out = console()
    for url, page in zip(urls, found, strict=True):
        if page is None:
            out.print(words(f"no such page: {url}", "yellow"))
            continue
        out.print(words(f"{page.title}  ", "bold") + words(page.url, "dim"))
        out.print(words(page.text))
        out.print(words(f"{len(page.links)} links: {', '.join(page.links[:20])}", "dim"))


def _named(page: Page) -> dict[str, Any]:
    return {"url": page.url, "title": page.title, "text": page.text}


def _row(hit: Hit) -> dict[str, Any]:
    return {"url": hit.url, "title": hit.title, "text": hit.text, "score": hit.score}
