"""A small corpus of invented machines, languages and people, whose facts are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from datafactory.corpora import Corpus, stock
from datafactory.corpora.sources.jsonl import Jsonl
from generators.search.facts import FactsIndex, open_facts

NAMES = (
    *("Abrin", "Brotel", "Cadmor", "Delvix", "Erloc", "Fandur", "Gomlin", "Hespar", "Irvane", "Jorvik"),
    *("Kestal", "Lumora", "Mordan", "Nalvet", "Oskrin"),
)
PEOPLE = ("Ada Quill", "Ben Rostow", "Cora Stane", "Dan Tarrow", "Eve Umber")
PURPOSES = (
    "describing chemical plants",
    "drawing weather maps",
    "checking train schedules",
    "teaching young pupils",
    "controlling small telescopes",
)


def rows() -> Iterator[dict[str, object]]:
    """Fifteen languages, each based on the one two before it; five computers, each with a language."""
    yield {"url": "language", "title": "language", "contents": "A system of signs.", "links": []}
    for number, name in enumerate(NAMES):
        before = NAMES[number - 2] if number > 1 else None
        text = (
            f"{name} is a programming language for {PURPOSES[number % 5]}. It was designed by {PEOPLE[number // 3]} "
            f"in {1961 + 3 * number}."
        )
        if before:
            text += f" It is based on {before}."
        yield {"url": name, "title": name, "contents": text, "links": [before] if before else []}
    for number, name in enumerate(("Pelion", "Quarto", "Rhodos", "Syrinx", "Tethys")):
        uses = NAMES[number * 3 + 1]
        text = f"{name} is a computer built at Hill University in {1960 + 7 * number}."
        text += f"\n\nIts manual speaks of {uses} at length."
        yield {"url": name, "title": name, "contents": text, "links": [uses]}
    yield {"url": "computer", "title": "computer", "contents": "A machine that counts.", "links": []}


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Jsonl:
    """Where the corpus is read from."""
    path: Path = tmp_path_factory.mktemp("pages") / "machines.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows()))
    return Jsonl(files=(path,), name="machines")


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def corpus(source: Jsonl, _state: None) -> Corpus:
    """The corpus, stored."""
    return stock(source)


@pytest.fixture(scope="session")
def index(corpus: Corpus) -> FactsIndex:
    """Its facts."""
    return open_facts(corpus)
