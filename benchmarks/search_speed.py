"""Measures search beside bm25s and tantivy used raw: indexes built, and queries a second at 1 and 16 clients.

    python benchmarks/search_speed.py --html python3-doc=FOLDER --dict foldoc=STEM [--repeats 5] [--out search.json]

FOLDER is an HTML tree, STEM a dictionary in the dict format without its ending (`.../foldoc`). All arms find the best
5 passages for the same queries, and take turns: in each repeat every arm answers the same 1,000 queries, which no
repeat has twice, and a ratio is the median of the repeats' ratios. What each arm is, is told in docs/benchmarks.md:
every arm starts from the query as text, which raw ones cut into terms as the factory does, so that all search for the
same; raw ones look passages up in a list in memory, the factory's read them from disk and find each page once.
`numbers alone`: neither side looks passages up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import search_speed_raw as raw

from datafactory.corpora import Corpus, stock
from datafactory.corpora.library import Shelves
from datafactory.corpora.retrievers import BM25, Retriever
from datafactory.corpora.retrievers.indexes import opened
from datafactory.corpora.retrievers.tantivy import Tantivy
from datafactory.corpora.server.client import served
from datafactory.corpora.sources.dictd import Dict
from datafactory.corpora.sources.html import Html

K, QUERIES, CLIENTS = 5, 1000, 16
Arm = Callable[[list[int]], Awaitable[None]]
"""Answers the queries of these numbers."""


def queries_of(corpus: Corpus, count: int, seed: int) -> list[str]:
    """Titles, words of a sentence, and questions about a page, in equal parts, none twice."""
    rng = random.Random(seed)
    made: dict[str, None] = {}
    terms = BM25().words().terms
    while len(made) < count:
        number = rng.randrange(len(corpus.passages))
        title, words = corpus.title_of(corpus.passages.page(number)), corpus.passages.part(number).split()
        if len(words) < 8:
            continue
        at = rng.randrange(len(words) - 7)
        part = " ".join(words[at : at + rng.randint(4, 8)])
        kind = len(made) % 3
        if not terms(title) or not terms(part):
            continue  # bm25s takes no query without a term
        made[title if kind == 0 else part if kind == 1 else f"what does {title} say about {part}?"] = None
        if kind == 0 and rng.random() < 0.5:  # titles repeat, and there are fewer of them than queries
            made[f"{title} {part}"] = None
    return list(made)[:count]


async def clients(ask: Callable[[int], Awaitable[Any]], numbers: list[int], count: int) -> None:
    """So many clients, each asking for one query after another."""
    left = iter(numbers)

    async def one() -> None:
        for number in left:
            await ask(number)

    await asyncio.gather(*(one() for _ in range(count)))


def in_threads(ask: Callable[[int], Any], count: int) -> Arm:
    """As many clients as threads."""

    async def arm(numbers: list[int]) -> None:
        with ThreadPoolExecutor(count) as threads:
            list(threads.map(ask, numbers))

    return arm


def alone(ask: Callable[[int], Any]) -> Arm:
    """One client in this thread."""

    async def arm(numbers: list[int]) -> None:
        for number in numbers:
            ask(number)

    return arm


def library_arms(name: str, library: Any, queries: list[str]) -> dict[str, Arm]:
    """A library asked by 1 client, by 16, and for many at once."""

    async def ask(number: int) -> None:
        [hits] = await library.retrieve([queries[number]], topk=K)
        assert len(hits) <= K

    async def many(numbers: list[int]) -> None:
        for at in range(0, len(numbers), 64):
            await library.retrieve([queries[number] for number in numbers[at : at + 64]], topk=K)

    return {
        f"{name}, 1 client": lambda numbers: clients(ask, numbers, 1),
        f"{name}, 16 clients": lambda numbers: clients(ask, numbers, CLIENTS),
        f"{name}, 64 at once": many,
    }


def number_arms(name: str, shelves: Shelves, queries: list[str]) -> dict[str, Arm]:
    """The same, of which only the numbers of passages are wanted."""

    async def ask(number: int) -> None:
        await shelves.rank([queries[number]], topk=K)

    async def many(numbers: list[int]) -> None:
        for at in range(0, len(numbers), 64):
            await shelves.rank([queries[number] for number in numbers[at : at + 64]], topk=K)

    return {
        f"{name}, 1 client": lambda numbers: clients(ask, numbers, 1),
        f"{name}, 16 clients": lambda numbers: clients(ask, numbers, CLIENTS),
        f"{name}, 64 at once": many,
    }


def raw_arms(name: str, index: Any, terms: Callable[[int], list[str]], rows: list[Any] | None) -> dict[str, Arm]:
    """A library of others': the same three ways. `terms`: cuts a query, which is part of answering it."""

    async def many(numbers: list[int]) -> None:
        for at in range(0, len(numbers), 64):
            index.search([terms(number) for number in numbers[at : at + 64]], K, rows)

    def ask(number: int) -> None:
        index.search([terms(number)], K, rows)

    return {
        f"{name}, 1 client": alone(ask),
        f"{name}, 16 clients": in_threads(ask, CLIENTS),
        f"{name}, 64 at once": many,
    }


def plain_arms(name: str, url: str, session: aiohttp.ClientSession, queries: list[str]) -> dict[str, Arm]:
    """A server asked with nothing but aiohttp, as ASearcher's client does."""

    async def ask(number: int) -> None:
        asked = {"queries": [queries[number]], "topk": K, "return_scores": True}
        async with session.post(f"{url}/retrieve", json=asked) as response:
            assert response.status == 200
            await response.json()

    return {
        f"{name}, 1 client": lambda numbers: clients(ask, numbers, 1),
        f"{name}, 16 clients": lambda numbers: clients(ask, numbers, CLIENTS),
    }


def building(corpus: Corpus) -> dict[str, float]:
    """Passages a second, reading and cutting into terms included; compiled beforehand."""

    def ours(retriever: Retriever) -> None:
        with tempfile.TemporaryDirectory() as folder:
            retriever.build(corpus, Path(folder))

    def others(kind: type[raw.Bm25s] | type[raw.Tantivy]) -> None:
        fresh = BM25().words()
        kind([fresh.terms(text) for text in corpus.passages.texts()])

    ways: dict[str, Callable[[], None]] = {
        "bm25s": lambda: others(raw.Bm25s),
        "bm25": lambda: ours(BM25()),
        "tantivy raw": lambda: others(raw.Tantivy),
        "tantivy": lambda: ours(Tantivy()),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    ours(BM25())
    for _ in range(3):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            taken[name].append(time.perf_counter() - begun)
    return {name: len(corpus.passages) / statistics.median(seconds) for name, seconds in taken.items()}


def start(module: str, corpus: Corpus, kind: str) -> tuple[subprocess.Popen[str], str]:
    """A server in a process of its own, and its url."""
    here = Path(__file__).parent
    command = [sys.executable, str(here / module), corpus.name, kind]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, f"http://{process.stdout.readline().strip()}"


async def race(arms: dict[str, Arm], repeats: int) -> dict[str, list[float]]:
    """Queries a second of each arm in each repeat; the order turns, and the first, unmeasured, warms all."""
    rates: dict[str, list[float]] = {name: [] for name in arms}
    names = list(arms)
    for repeat in range(repeats + 1):
        numbers = list(range(repeat * QUERIES, (repeat + 1) * QUERIES))
        for name in names[repeat % len(names) :] + names[: repeat % len(names)]:
            begun = time.perf_counter()
            await arms[name](numbers)
            if repeat:
                rates[name].append(QUERIES / (time.perf_counter() - begun))
    return rates


async def measure(corpus: Corpus, kind: str, repeats: int) -> dict[str, Any]:
    """One corpus, one kind of index (`bm25` beside bm25s, or `tantivy` beside itself)."""
    retriever: Retriever = BM25() if kind == "bm25" else Tantivy()
    words = BM25().words()
    queries = queries_of(corpus, (repeats + 1) * QUERIES, seed=7)
    texts = [words.terms(text) for text in corpus.passages.texts()]
    peer = raw.Bm25s(texts) if kind == "bm25" else raw.Tantivy(texts)

    def terms(number: int) -> list[str]:
        return words.terms(queries[number])

    opened(retriever, corpus)
    shelves = Shelves(corpus, retriever)
    server, url = start("search_speed_server.py", corpus, kind)
    plain, plain_url = start("search_speed_raw.py", corpus, kind)
    try:
        async with served(corpus.name, address=url) as remote, aiohttp.ClientSession() as session:
            arms = {
                **raw_arms("raw", peer, terms, raw.documents(corpus)),
                **raw_arms("raw, numbers alone", peer, terms, None),
                **number_arms("in process, numbers alone", shelves, queries),
                **library_arms("in process", shelves, queries),
                **library_arms("server", remote, queries),
                **plain_arms("server, bare client", url, session, queries),
                **plain_arms("raw behind plain FastAPI, bare client", plain_url, session, queries),
            }
            rates = await race(arms, repeats)
    finally:
        await shelves.close()
        for process in (server, plain):
            process.terminate()
            process.wait(20)
    return {
        name: {
            "queries_per_second": statistics.median(values),
            "of_raw": statistics.median(mine / other for mine, other in zip(values, rates[beside(name)], strict=True)),
        }
        for name, values in rates.items()
    }


def beside(name: str) -> str:
    """The raw arm that an arm is compared with: as many clients, and the same told of what is found."""
    alone = ", numbers alone" if "numbers alone" in name else ""
    return f"raw{alone}, {name.rpartition(', ')[2]}"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--html", action="append", default=[], metavar="NAME=FOLDER")
    options.add_argument("--dict", action="append", default=[], metavar="NAME=STEM")
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    pairs = [text.partition("=") for text in chosen.html]
    sources: list[Any] = [Html(folder=Path(folder), name=name) for name, _, folder in pairs]
    sources += [Dict(dictionary=Path(stem), name=name) for name, _, stem in (t.partition("=") for t in chosen.dict)]
    if not sources:
        options.error("name a corpus: --html NAME=FOLDER or --dict NAME=STEM")
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        for source in sources:
            begun = time.perf_counter()
            corpus = stock(source)
            seconds = time.perf_counter() - begun
            told[corpus.name] = made = {"pages": len(corpus), "passages": len(corpus.passages)}
            made["pages_read_per_second"] = len(corpus) / seconds
            print(f"{corpus.name}: {len(corpus):,} pages read in {seconds:.1f} s, {len(corpus.passages):,} passages")
            made["passages_indexed_per_second"] = building(corpus)
            for name, rate in made["passages_indexed_per_second"].items():
                print(f"  built by {name:<12} {rate:>8,.0f} passages/s")
            for kind in ("bm25", "tantivy"):
                made[kind] = asyncio.run(measure(corpus, kind, chosen.repeats))
                for name, row in made[kind].items():
                    print(f"  {kind:<8} {name:<50} {row['queries_per_second']:>8,.0f}/s {row['of_raw']:>6.2f} of raw")
    if chosen.out:
        chosen.out.write_text(json.dumps(told, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
