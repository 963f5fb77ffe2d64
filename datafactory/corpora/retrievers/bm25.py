"""BM25 over memory-mapped postings: exact, quick, and the same for any number of processes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from datafactory.corpora.retrievers.retriever import Index, Ranking, Retriever

if TYPE_CHECKING:
    from datafactory.corpora.corpus import Corpus
    from datafactory.corpora.retrievers.retriever import Mask
    from datafactory.corpora.retrievers.words import Words

FORMAT = "1"
"""Counts up when the same corpus gives other files, or the same text other terms."""
_KEPT = 1 << 18
"""Words whose terms' numbers an open index remembers."""

Language = Literal[
    "arabic", "armenian", "basque", "catalan", "danish", "dutch", "english", "finnish", "french", "german", "greek",
    "hindi", "hungarian", "indonesian", "irish", "italian", "lithuanian", "nepali", "norwegian", "portuguese",
    "romanian", "russian", "serbian", "spanish", "swedish", "tamil", "turkish", "yiddish",
]  # fmt: skip


class Lexical(Retriever):
    """The keys of retrievers that look for words."""

    language: Language | None = "english"
    """Whose words are brought to their stems, so that `parsing` finds `parsed`; null: none."""
    stopwords: bool = True
    """Pass over words such as `the`, which are in every passage; for languages that have a list of them."""

    def words(self) -> Words:
        """How its texts are cut into terms."""
        from datafactory.corpora.retrievers.words import Words

        return Words(self.language, stopwords=self.stopwords)


class BM25(Lexical):
    """By the words that query and passage share, rare ones counting more: BM25 with Lucene's weights, scored when the
    index is built as bm25s does it (arXiv 2407.03618). Answers at once up to some millions of passages."""

    k1: float = Field(default=1.5, ge=0, le=10)
    """How much a word's second, third, ... mention in a passage adds: 0 nothing."""
    b: float = Field(default=0.75, ge=0, le=1)
    """How much long passages are marked down: 0 not at all."""

    use_name: ClassVar[str] = "bm25"

    def build(self, corpus: Corpus, folder: Path) -> None:
        """See `Retriever.build`."""
        from datafactory.corpora.retrievers.building import build

        build(corpus, self.words(), folder, k1=self.k1, b=self.b)

    def open(self, corpus: Corpus, folder: Path) -> Index:
        """See `Retriever.open`."""
        return Postings(folder, self.words(), self.per_page, passages=len(corpus.passages))

    def version(self) -> str:
        """See `Retriever.version`; the library is the stemmer."""
        from Stemmer import version

        return f"{FORMAT}, stemmer {version()}"


class Postings:
    """The files of an index, open: `search` reads the postings of the query's terms."""

    def __init__(self, folder: Path, words: Words, per_page: int, *, passages: int) -> None:
        import numpy as np

        names = ("marks", "starts", "passages", "weights", "pages")
        self._marks, starts, numbers, weights, self._pages = (mapped(folder / f"{name}.npy") for name in names)
        if len(starts) != len(self._marks) + 1 or not starts[-1] == len(numbers) == len(weights):
            raise ValueError("its postings do not match its terms")
        if len(self._pages) != passages:
            raise ValueError(f"it is of {len(self._pages):,} passages, not of {passages:,}")
        self._postings = (starts, numbers, weights)
        self._words, self._per_page = words, per_page
        self._known: dict[str, tuple[int, ...]] = {}
        self._nobody = np.empty(0, dtype=np.bool_)
        self._local = local()

    def search(self, queries: Sequence[str], k: int, *, barred: Mask | None = None) -> list[Ranking]:
        """See `Index.search`."""
        import numpy as np

        from datafactory.corpora.retrievers import kernels

        terms: list[int] = []
        bounds = [0]
        for query in queries:
            terms += self._terms(query)
            bounds.append(len(terms))
        k = min(k, len(self._pages))
        found = (
            np.empty((len(queries), k), dtype=np.int32),
            np.empty((len(queries), k), dtype=np.float32),
            np.empty(len(queries), dtype=np.int64),
        )
        kernels.sum_and_pick(
            np.array(terms, dtype=np.int64),
            np.array(bounds, dtype=np.int64),
            self._postings,
            self._pages,
            self._nobody if barred is None else barred,
            self._per_page,
            self._room(),
            found,
        )
        return rankings(found)

    def _terms(self, query: str) -> list[int]:
        found: list[int] = []
        for word in self._words.raw(query):
            known = self._known.get(word)
            found += self._numbers(word) if known is None else known
        found.sort()  # sums of floats depend on their order, and answers must not depend on that of the words
        return found

    def _numbers(self, word: str) -> tuple[int, ...]:
        from datafactory.corpora.retrievers.building import mark

        made = []
        for term in self._words.of(word):
            wanted = self._marks.dtype.type(mark(term))
            at = int(self._marks.searchsorted(wanted))
            if at < len(self._marks) and self._marks[at] == wanted:
                made.append(at)
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[word] = tuple(made)
        return self._known[word]

    def _room(self) -> Any:
        """Where this thread sums: kept, since making it anew costs more than a search of a large corpus."""
        import numpy as np

        from datafactory.corpora.retrievers.kernels import BLOCK

        if not hasattr(self._local, "room"):
            size = len(self._pages)
            self._local.room = (np.zeros(size, np.float32), np.zeros((size >> BLOCK) + 1, np.float32))
        return self._local.room


def mapped(path: Path) -> Any:
    """An array of a file, memory-mapped for reading."""
    import numpy as np

    array = np.load(path, mmap_mode="r", allow_pickle=False) if path.stat().st_size > 128 else np.load(path)
    return np.asarray(array)  # a plain array of the mapped memory: numba takes it quicker than a memmap


def rankings(found: Any) -> list[Ranking]:
    """What the kernels filled in, as lists."""
    numbers, scores, counts = found
    rows = zip(numbers.tolist(), scores.tolist(), counts.tolist(), strict=True)
    return [(passages[:count], values[:count]) for passages, values, count in rows]
