"""Measures how fast corpora are read and stored, in how much memory, and how fast a stored one answers.

    python benchmarks/corpora.py [--html FOLDER] [--dict STEM] [--pages 100000 1000000] [--out corpora.json]

Each corpus is built in a process of its own, with a state folder of its own, from files that the system has in its
cache. All of it is one thread's work, so rates are by processor time, which other work on the machine moves less than
the wall clock (`seconds`). `peak MB` is the most that was resident (VmHWM), memory-mapped pages of files included;
`alone` is the rate of the HTML parser without us. The generated pages are JSON Lines with 160 words and 6 links each,
one link in eleven to a page that is not there. Lookups are of random pages of the corpus just built.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import re
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from datafactory.corpora import Corpus, CorpusSpec, stock

LOOKUPS = 20_000
PARAGRAPHS = 5_000


def generate(path: Path, count: int) -> None:
    """Write `count` pages that link to each other at random."""
    rng = random.Random(count)
    words = ["".join(rng.choices("etaoinshrdlu", k=rng.randint(3, 9))) for _ in range(20_000)]
    paragraphs = [" ".join(rng.choices(words, k=80)) for _ in range(PARAGRAPHS)]
    reach = count + count // 10
    with path.open("w") as file:
        for number in range(count):
            links = [f"https://example.org/wiki/{rng.randrange(reach)}" for _ in range(6)]
            text = f"{rng.choice(paragraphs)}\n\n{rng.choice(paragraphs)}"
            row = {"url": f"https://example.org/wiki/{number}", "title": words[number % 20_000], "contents": text}
            file.write(json.dumps(row | {"links": links}) + "\n")


def build(source: CorpusSpec, told: Connection) -> None:
    """Store the corpus, look things up in it, and tell how long each took."""
    start, busy = time.perf_counter(), time.process_time()
    corpus = stock(source)
    seconds, processor = time.perf_counter() - start, time.process_time() - busy
    peak = int(re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[0]) / 1024
    found = corpus.manifest
    read = sum(path.stat().st_size for path in source.inputs())
    told.send(
        {
            "corpus": corpus.name,
            "pages": found.pages,
            "passages": found.passages,
            "links": found.links,
            "rejects": found.rejects,
            "unlinked": sum(not corpus.linked_from(n) for n in range(len(corpus))),
            "seconds": seconds,
            "processor s": processor,
            "pages/s": found.pages / processor,
            "MB read": read / 1e6,
            "MB/s": read / 1e6 / processor,
            "MB stored": sum(size for size, _ in found.files.values()) / 1e6,
            "peak MB": peak,
            **lookups(corpus, source),
        }
    )


def lookups(corpus: Corpus, source: CorpusSpec) -> dict[str, float]:
    """Rates by the second, and how long it takes to find the corpus again."""
    rng = random.Random(1)
    some = [rng.randrange(len(corpus)) for _ in range(LOOKUPS)]
    urls = [corpus.url(n) for n in some]
    passages = [rng.randrange(len(corpus.passages)) for _ in range(LOOKUPS)]
    start = time.process_time()
    stock(source)
    again = time.process_time() - start

    def rate(work: Callable[[Any], object], items: list[Any]) -> float:
        begin = time.process_time()
        for item in items:
            work(item)
        return len(items) / (time.process_time() - begin)

    assert [corpus.number(url) for url in urls] == some
    return {
        "found again ms": again * 1000,
        "page/s": rate(corpus.page, some),
        "number/s": rate(corpus.number, urls),
        "links/s": rate(corpus.links, some),
        "passage/s": rate(corpus.passages.text, passages),
    }


def parser_alone(folder: Path) -> float:
    """MB of HTML that the parser reads in a second, with nothing made of it."""
    from selectolax.lexbor import LexborHTMLParser

    pages = [path.read_text(errors="replace") for path in folder.rglob("*.html")]
    start = time.process_time()
    for page in pages:
        LexborHTMLParser(page)
    return sum(map(len, pages)) / 1e6 / (time.process_time() - start)


def measure(source: CorpusSpec) -> dict[str, Any]:
    """Build it in a new process."""
    time.sleep(1.2)  # a file that changed within the last second is read again to be known again
    for path in source.inputs():
        with path.open("rb") as file:
            while file.read(1 << 20):
                pass
    ours, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        child = multiprocessing.get_context("spawn").Process(target=build, args=(source, theirs))
        child.start()
        theirs.close()
        made: dict[str, Any] = ours.recv()
        child.join()
    return made


def main() -> None:
    """Measure what there is, and print a table."""
    from datafactory.corpora.sources.dictd import Dict
    from datafactory.corpora.sources.html import Html
    from datafactory.corpora.sources.jsonl import Jsonl

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--html", type=Path, default=Path("/usr/share/doc/python3.11/html"))
    options.add_argument("--dict", type=Path, default=Path("/usr/share/dictd/foldoc"))
    options.add_argument("--pages", type=int, nargs="*", default=[100_000, 1_000_000])
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    for name, source in {
        "html": Html(folder=chosen.html, name="html"),
        "html, a page a file": Html(folder=chosen.html, name="html", split="page"),
        "dict": Dict(dictionary=chosen.dict),
    }.items():
        if missing := list(source.problems()):
            print(f"NOT MEASURED: {name} ({'; '.join(missing)})")
        else:
            rows[name] = measure(source)
    if "html" in rows:
        rows["html"]["MB/s alone"] = parser_alone(chosen.html)
    for count in chosen.pages:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "pages.jsonl")
            generate(path, count)
            rows[f"jsonl, {count:,} pages"] = measure(Jsonl(files=(path,)))
    for name, row in rows.items():
        print(f"\n{name}")
        for key, value in row.items():
            print(f"  {key:15} {f'{value:,.1f}' if isinstance(value, float) else value}")
    if chosen.out:
        chosen.out.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
