"""BM25: what bm25s finds, by page, in the same order each time."""

from __future__ import annotations

import random
from collections.abc import Callable

import bm25s
import numpy as np
import pytest

from datafactory.corpora import Corpus
from datafactory.corpora.retrievers import BM25, Index
from datafactory.corpora.retrievers.indexes import opened

Make = Callable[[dict[str, tuple[str, str]]], Corpus]


def titles(corpus: Corpus, index: Index, query: str, k: int = 5) -> list[str]:
    [(numbers, _)] = index.search([query], k)
    return [corpus.title_of(corpus.passages.page(number)) for number in numbers]


@pytest.fixture(scope="module")
def queries() -> list[str]:
    rng = random.Random(1)
    return [" ".join(f"w{int(rng.random() ** 3 * 800)}" for _ in range(rng.randint(1, 9))) for _ in range(200)]


def test_scores_and_passages_are_those_of_bm25s(large: Corpus, queries: list[str]) -> None:
    spec = BM25(per_page=100, k1=1.2, b=0.6)
    words = spec.words()
    raw = bm25s.BM25(method="lucene", k1=1.2, b=0.6)
    raw.index([words.terms(text) for text in large.passages.texts()], show_progress=False)
    found = opened(spec, large).search(queries, 20)
    for query, (numbers, scores) in zip(queries, found, strict=True):
        expected = raw.get_scores(words.terms(query))
        assert np.allclose(expected[numbers], scores, rtol=1e-4)
        assert len(numbers) == min(20, int((expected > 0).sum()))
        assert np.allclose(np.sort(expected)[::-1][: len(scores)], scores, rtol=1e-4)


@pytest.mark.parametrize("per_page", [1, 2])
def test_of_one_page_only_so_many_passages_are_found(large: Corpus, queries: list[str], per_page: int) -> None:
    everything = opened(BM25(per_page=100), large).search(queries, len(large.passages))
    found = opened(BM25(per_page=per_page), large).search(queries, 15)
    for (all_numbers, all_scores), ranking in zip(everything, found, strict=True):
        held: dict[int, int] = {}
        expected = []
        for number, score in zip(all_numbers, all_scores, strict=True):
            page = large.passages.page(number)
            held[page] = held.get(page, 0) + 1
            if held[page] <= per_page:
                expected.append((number, score))
        assert list(zip(*ranking, strict=True)) == expected[:15]


def test_barred_pages_are_never_found_and_others_take_their_places(large: Corpus, queries: list[str]) -> None:
    index = opened(BM25(), large)
    barred = np.zeros(len(large), dtype=np.bool_)
    barred[::2] = True
    whole = index.search(queries, len(large))
    for (numbers, scores), (kept, kept_scores) in zip(whole, index.search(queries, 10, barred=barred), strict=True):
        expected = [(n, s) for n, s in zip(numbers, scores, strict=True) if large.passages.page(n) % 2]
        assert list(zip(kept, kept_scores, strict=True)) == expected[:10]


def test_equal_scores_come_by_number_and_the_order_of_words_does_not_matter(small: Corpus) -> None:
    index = opened(BM25(), small)
    [(numbers, scores)] = index.search(["marmalade toast"], 5)
    assert numbers == sorted(numbers) and len(numbers) == 2 and scores[0] == scores[1]
    assert index.search(["toast marmalade"], 5) == index.search(["marmalade toast"], 5)


def test_one_query_alone_finds_what_it_finds_among_many(large: Corpus, queries: list[str]) -> None:
    index = opened(BM25(), large)
    assert [index.search([query], 7)[0] for query in queries] == index.search(queries, 7)


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("json.dumps", "json"),
        ("dumps", "json"),
        ("OS.PATH", "os.path"),
        ("ordered dict", "collections"),
        ("ordereddict", "collections"),
        ("parse", "Parsing"),
        ("C#", "C++"),
        ("godel", "Gödel"),
        ("首都", "東京"),
    ],
)
def test_a_page_is_found_by_what_people_write(small: Corpus, query: str, title: str) -> None:
    assert titles(small, opened(BM25(), small), query)[0] == title


@pytest.mark.parametrize("query", ["", " \n", "the of and", "zzzz", "?", "\ud800", "\x00"])
def test_a_query_of_nothing_that_could_be_found_finds_nothing(small: Corpus, query: str) -> None:
    assert opened(BM25(), small).search([query, "json"], 3)[0] == ([], [])


def test_a_query_of_a_megabyte_is_answered(small: Corpus) -> None:
    assert titles(small, opened(BM25(), small), "json " * 200_000) == ["json"]


def test_more_passages_than_there_are_may_be_asked_for(small: Corpus) -> None:
    assert titles(small, opened(BM25(), small), "marmalade arithmetic", 10_000) == ["Gödel", "Twin", "Twin"]


def test_a_corpus_in_which_no_word_counts_can_be_searched(make: Make) -> None:
    corpus = make({"a": ("The", "of"), "b": ("And", "the")})
    assert opened(BM25(), corpus).search(["the of x"], 3) == [([], [])]
