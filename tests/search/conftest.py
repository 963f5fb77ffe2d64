"""Small corpora that tests search, made on the spot."""

from __future__ import annotations

import json
import os
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
