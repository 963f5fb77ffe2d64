"""Small corpora that tests search, made on the spot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from datafactory.corpora import Corpus, stock
from datafactory.corpora.sources.jsonl import Jsonl

Make = Callable[[dict[str, tuple[str, str]]], Corpus]

PAGES = {
    "json": ("json", "Encoding with json.dumps gives text; json.loads parses it again. See also pickle."),
    "os.path": ("os.path", "The function os.path.join puts the parts of a path together."),
    "collections": ("collections", "An OrderedDict remembers the order in which keys were added."),
    "parsing": ("Parsing", "A parser parses what was to be parsed; parsing is what it does."),
    "cpp": ("C++", "C++ is a language, and C# is another one."),
    "goedel": ("Gödel", "Kurt Gödel proved that arithmetic is incomplete."),
    "tokyo": ("東京", "東京都は日本の首都である。"),
    "twin-a": ("Twin", "marmalade on toast"),
    "twin-b": ("Twin", "marmalade on toast"),
    "empty": ("The", "the of and"),
}


@pytest.fixture(scope="package")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of state of its own for all of these tests."""
    before = os.environ.get("XDG_STATE_HOME")
    folder = tmp_path_factory.mktemp("state")
    os.environ["XDG_STATE_HOME"] = str(folder)
    yield folder
    os.environ.pop("XDG_STATE_HOME")
    if before is not None:
        os.environ["XDG_STATE_HOME"] = before


@pytest.fixture(scope="package")
def make(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes a corpus of pages: url, title, text."""

    def made(pages: dict[str, tuple[str, str]], words: int = 40) -> Corpus:
        file = tmp_path_factory.mktemp("pages") / "small.jsonl"
        rows = [{"url": url, "title": title, "contents": text} for url, (title, text) in pages.items()]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return stock(Jsonl(files=(file,), passage_words=words))

    return made


@pytest.fixture(scope="package")
def small(make: Make) -> Corpus:
    """Ten pages, each of which can be found by something."""
    return make(PAGES)


@pytest.fixture(scope="package")
def large(make: Make) -> Corpus:
    """300 pages of one to three passages in words of which some are common and most are rare."""
    import random

    rng = random.Random(5)
    words = [f"w{number}" for number in range(800)]
    weights = [1 / (number + 3) for number in range(800)]
    pages = {}
    for number in range(300):
        paragraphs = [" ".join(rng.choices(words, weights, k=60)) for _ in range(rng.randint(1, 3))]
        pages[f"https://example.org/{number}"] = (f"Page {number}", "\n\n".join(paragraphs))
    return make(pages)


class Server:
    """A search server in a process of its own."""

    def __init__(self, corpus: str, *, port: int = 0, more: str = "") -> None:
        code = (
            "from pathlib import Path\n"
            "from datafactory.corpora import find\n"
            "from datafactory.corpora.blocking import Blocklist\n"
            "from datafactory.corpora.retrievers import BM25\n"
            "from datafactory.corpora.server.serving import serve\n"
            "if __name__ == '__main__':\n"
            f"    serve(find({corpus!r}), BM25(), port={port}, ready=lambda at: print(at, flush=True), {more})"
        )
        self.process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        self.url = f"http://{self.address}"
        self.port = int(self.address.rpartition(":")[2])

    def stop(self, how: int = signal.SIGTERM) -> int:
        """The exit code."""
        self.process.send_signal(how)
        return self.process.wait(20)


Start = Callable[..., Server]


@pytest.fixture
def start(state: Path) -> Iterator[Start]:
    """Starts servers, which are gone afterwards."""
    started: list[Server] = []

    def made(corpus: Corpus, **how: object) -> Server:
        started.append(Server(corpus.name, **how))  # type: ignore[arg-type]
        return started[-1]

    yield made
    for each in started:
        each.process.kill()
        each.process.communicate(timeout=20)


@pytest.fixture(scope="package")
def server(small: Corpus) -> Iterator[Server]:
    """A server of the small corpus for all tests that leave it as it is."""
    made = Server(small.name)
    yield made
    made.process.kill()
    made.process.communicate(timeout=20)
