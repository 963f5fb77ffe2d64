"""Indexes beside their corpus: made once, found again, made anew when they are damaged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from datafactory.corpora import Corpus
from datafactory.corpora.retrievers import BM25, Retriever
from datafactory.corpora.retrievers.indexes import MANIFEST, home, opened
from datafactory.corpora.retrievers.tantivy import Tantivy


def test_an_index_is_built_once(small: Corpus) -> None:
    opened(BM25(), small)
    made = (home(BM25(), small) / MANIFEST).stat().st_mtime_ns
    opened(BM25(), small)
    opened(BM25(per_page=3), small)
    assert (home(BM25(), small) / MANIFEST).stat().st_mtime_ns == made


def test_what_shapes_an_index_names_it_and_what_does_not_does_not(small: Corpus, large: Corpus) -> None:
    assert home(BM25(per_page=3), small) == home(BM25(), small)
    places = [home(BM25(), small), home(BM25(k1=1), small), home(BM25(stopwords=False), small), home(Tantivy(), small)]
    assert len({*places, home(BM25(), large)}) == 5


@pytest.mark.parametrize("retriever", [BM25(b=0.5), Tantivy(language=None)], ids=lambda each: each.use_name)
@pytest.mark.parametrize("damage", ["cut", "lost", "manifest", "empty"])
def test_a_damaged_index_is_built_anew_with_a_word(small: Corpus, retriever: Retriever, damage: str) -> None:
    before = opened(retriever, small).search(["json"], 3)
    place = home(retriever, small)
    largest = max((path for path in place.iterdir() if path.name != MANIFEST), key=lambda path: path.stat().st_size)
    if damage == "cut":
        largest.write_bytes(largest.read_bytes()[:-1])
    elif damage == "lost":
        largest.unlink()
    elif damage == "manifest":
        (place / MANIFEST).write_text('{"files"')
    else:
        (place / MANIFEST).write_text("{}")
    said: list[str] = []
    assert opened(retriever, small, said.append).search(["json"], 3) == before
    assert len(said) == 1 and "is damaged" in said[0] and "built anew" in said[0]
    opened(retriever, small, said.append)
    assert len(said) == 1


def test_an_index_of_the_right_size_with_wrong_content_is_built_anew(small: Corpus) -> None:
    retriever = BM25(b=0.1)
    before = opened(retriever, small).search(["json"], 3)
    file = home(retriever, small) / "starts.npy"
    file.write_bytes(b"\0" * file.stat().st_size)
    said: list[str] = []
    assert opened(retriever, small, said.append).search(["json"], 3) == before
    assert "is damaged" in said[0]


def test_what_a_killed_build_left_is_cleared_away(small: Corpus) -> None:
    place = home(BM25(k1=2), small)
    left = place.with_name(f".{place.name}.part")
    left.mkdir(parents=True)
    (left / "marks.npy").write_text("half")
    opened(BM25(k1=2), small)
    assert not left.exists() and json.loads((place / MANIFEST).read_bytes())["corpus"] == small.name


def test_two_processes_that_build_at_once_find_one_index(small: Corpus, state: Path) -> None:
    code = (
        "from datafactory.corpora import find\n"
        "from datafactory.corpora.retrievers import BM25\n"
        "from datafactory.corpora.retrievers.indexes import opened\n"
        f"print(opened(BM25(k1=3), find({small.name!r})).search(['json'], 1))"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {process.communicate(timeout=60)[0] for process in running}
    assert [process.returncode for process in running] == [0, 0] and len(said) == 1
