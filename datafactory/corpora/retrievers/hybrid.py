"""Two or more retrievers in one, joined by the ranks that each gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from datafactory.corpora.retrievers.retriever import Index, Ranking, Retriever
from datafactory.spec import Component

if TYPE_CHECKING:
    from datafactory.corpora.corpus import Corpus
    from datafactory.corpora.retrievers.retriever import Mask


class Hybrid(Retriever):
    """By what several retrievers find, usually one by words and one by meaning: a page counts `1 / (smoothing + rank)`
    for each that finds it (reciprocal rank fusion, Cormack et al., SIGIR 2009)."""

    retrievers: Annotated[tuple[Retriever, ...], Component("retriever")] = Field(min_length=2)
    """Those that are asked, such as `[bm25, {use: dense, model: ...}]`."""
    depth: int = Field(default=100, ge=1, le=1000)
    """How many passages of each are looked at."""
    smoothing: int = Field(default=60, ge=1)
    """The larger, the less the first ranks count more than those below; 60 in the paper."""

    use_name: ClassVar[str] = "hybrid"

    def parts(self) -> Sequence[Retriever]:
        """See `Retriever.parts`."""
        return self.retrievers

    def joined(self, corpus: Corpus, indexes: Sequence[Index]) -> Index:
        """See `Retriever.joined`."""
        return Joined(corpus, indexes, depth=self.depth, smoothing=self.smoothing, per_page=self.per_page)

    def recipe(self) -> dict[str, Any]:
        """See `Retriever.recipe`."""
        return super().recipe() | {"retrievers": [part.recipe() for part in self.retrievers]}


class Joined:
    """Several open indexes as one."""

    def __init__(self, corpus: Corpus, indexes: Sequence[Index], *, depth: int, smoothing: int, per_page: int) -> None:
        self._page, self._indexes = corpus.passages.page, indexes
        self._depth, self._smoothing, self._per_page = depth, smoothing, per_page

    def search(self, queries: Sequence[str], k: int, *, barred: Mask | None = None) -> list[Ranking]:
        """See `Index.search`; the score is the page's."""
        depth = max(self._depth, k)
        found = [index.search(queries, depth, barred=barred) for index in self._indexes]
        return [self._fused([ranking for ranking, _ in each], k) for each in zip(*found, strict=True)]

    def _fused(self, lists: Sequence[Sequence[int]], k: int) -> Ranking:
        pages: dict[int, float] = {}
        passages: dict[int, dict[int, float]] = {}
        for ranking in lists:
            ranks: dict[int, int] = {}
            for place, passage in enumerate(ranking, 1):
                page = self._page(passage)
                if page not in ranks:
                    ranks[page] = len(ranks) + 1
                    pages[page] = pages.get(page, 0.0) + 1 / (self._smoothing + ranks[page])
                mine = passages.setdefault(page, {})
                mine[passage] = mine.get(passage, 0.0) + 1 / (self._smoothing + place)
        numbers: list[int] = []
        for page in sorted(pages, key=lambda page: (-pages[page], page)):
            best = sorted(passages[page], key=lambda passage: (-passages[page][passage], passage))
            numbers += best[: self._per_page]
            if len(numbers) >= k:
                break
        return numbers[:k], [pages[self._page(passage)] for passage in numbers[:k]]
