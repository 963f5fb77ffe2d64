"""What every retriever promises, and what is particular to those that are not plain BM25."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datafactory.corpora import Corpus
from datafactory.corpora.retrievers import BM25, Retriever
from datafactory.corpora.retrievers.dense import Dense
from datafactory.corpora.retrievers.hybrid import Hybrid
from datafactory.corpora.retrievers.indexes import opened
from datafactory.corpora.retrievers.settling import settle
from datafactory.corpora.retrievers.tantivy import Tantivy
from datafactory.registry import build

WORDY = [BM25(), Tantivy(), Hybrid(retrievers=(BM25(), Tantivy()))]
QUERIES = ["w1 w5 w9", "w700", "w2 w2 w3 w150", "page 17", "w0"]


def pages(corpus: Corpus, retriever: Retriever, query: str, k: int) -> list[int]:
    [(numbers, _)] = opened(retriever, corpus).search([query], k)
    return [corpus.passages.page(number) for number in numbers]


@pytest.mark.parametrize("retriever", WORDY, ids=lambda each: each.use_name)
def test_the_first_of_many_are_the_few(large: Corpus, retriever: Retriever) -> None:
    index = opened(retriever, large)
    for (few, few_scores), (many, many_scores) in zip(index.search(QUERIES, 5), index.search(QUERIES, 40), strict=True):
        assert (few, few_scores) == (many[:5], many_scores[:5])
        assert many_scores == sorted(many_scores, reverse=True)


@pytest.mark.parametrize("retriever", WORDY, ids=lambda each: each.use_name)
def test_each_page_is_found_once_and_barred_ones_never(large: Corpus, retriever: Retriever) -> None:
    barred = np.zeros(len(large), dtype=np.bool_)
    barred[:150] = True
    for numbers, _ in opened(retriever, large).search(QUERIES, 30, barred=barred):
        found = [large.passages.page(number) for number in numbers]
        assert len(set(found)) == len(found)
        assert all(page >= 150 for page in found)


@pytest.mark.parametrize("retriever", WORDY, ids=lambda each: each.use_name)
@pytest.mark.parametrize("query", ["", "the of", "zzzz", "?", "\ud800", '\x00 AND OR NOT ( ) " * :'])
def test_no_query_is_an_error(small: Corpus, retriever: Retriever, query: str) -> None:
    assert opened(retriever, small).search([query], 3) == [([], [])]


@pytest.mark.parametrize("retriever", WORDY, ids=lambda each: each.use_name)
def test_a_query_of_thousands_of_words_is_answered(large: Corpus, retriever: Retriever) -> None:
    assert len(pages(large, retriever, " ".join(f"w{number}" for number in range(5000)), 5)) == 5


def test_tantivy_finds_the_passages_that_bm25_finds(large: Corpus) -> None:
    # lengths are rounded by tantivy and not by bm25: the best passage may swap with the next
    for query in ("w700 w710", "w650 w655 w660"):
        assert len(set(pages(large, Tantivy(), query, 5)) & set(pages(large, BM25(k1=1.2), query, 5))) >= 4


def test_tantivy_orders_equal_scores_by_number(small: Corpus) -> None:
    [(numbers, scores)] = opened(Tantivy(), small).search(["marmalade"], 1)
    [(both, _)] = opened(Tantivy(), small).search(["marmalade"], 2)
    assert numbers == both[:1] == [min(both)] and scores[0] > 0


def test_settling_looks_deeper_until_nothing_below_can_matter() -> None:
    looked = []

    def look(depth: int) -> tuple[list[int], list[float]]:
        looked.append(depth)
        return list(range(100, 0, -1))[:depth], [1.0] * min(depth, 100)

    assert settle(look, lambda number: number // 10, 2, per_page=1, barred=None)[0] == [1, 10]
    assert looked == [4, 16, 64, 256]


def test_a_hybrid_puts_first_what_both_find() -> None:
    from datafactory.corpora.retrievers.hybrid import Joined

    class Ranked:
        def __init__(self, *numbers: int) -> None:
            self.numbers = list(numbers)

        def search(self, queries: object, k: int, *, barred: object = None) -> list[tuple[list[int], list[float]]]:
            return [(self.numbers, [1.0] * len(self.numbers))]

    class Passages:
        page = staticmethod(lambda number: number // 10)

    class Three:
        passages = Passages

    joined = Joined(Three, [Ranked(10, 20, 30), Ranked(40, 31, 21)], depth=10, smoothing=60, per_page=1)
    [(numbers, scores)] = joined.search(["x"], 10)
    assert [number // 10 for number in numbers] == [2, 3, 1, 4]
    assert numbers[:2] == [20, 31], "of a page the passage that ranked best"
    assert scores[0] == pytest.approx(1 / 62 + 1 / 63)


def test_a_retriever_comes_from_a_pipeline_file(tmp_path: Path) -> None:
    problems: list[object] = []
    value = {"use": "hybrid", "retrievers": ["bm25", {"use": "tantivy", "language": None}]}
    made = build("retriever", value, ("retriever",), problems)
    assert not problems
    assert made == Hybrid(retrievers=(BM25(), Tantivy(language=None)))
    assert build("retriever", {"use": "bm25", "language": "klingon"}, ("retriever",), problems) is None
    assert "language" in str(problems[0])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two small layers with the weights it was born with."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("model")
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=64, **sizes)
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab={word: at for at, word in enumerate(vocabulary)}).save_pretrained(folder)
    return folder


@pytest.mark.train
def test_a_dense_retriever_finds_by_cosine_what_a_plain_computation_finds(small: Corpus, model: Path) -> None:
    from sentence_transformers import SentenceTransformer

    spec = Dense(model=str(model), query_prefix="query: ", passage_prefix="passage: ", device="cpu")
    [(numbers, scores), nothing] = opened(spec, small).search(["json text", "  "], 3)
    plain = SentenceTransformer(str(model), device="cpu")
    vectors = plain.encode([f"passage: {text}" for text in small.passages.texts()], normalize_embeddings=True)
    cosines = vectors @ plain.encode("query: json text", normalize_embeddings=True)
    assert scores == pytest.approx(np.sort(cosines)[::-1][:3], abs=2e-3)
    assert scores == pytest.approx(cosines[numbers], abs=2e-3)
    assert nothing == ([], [])
    changed = spec.version()
    (model / "note.txt").write_text("another model")
    assert spec.version() != changed
