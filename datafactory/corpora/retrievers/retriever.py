"""The root of every retriever, and what its index gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import Field

from datafactory.spec import Spec

if TYPE_CHECKING:
    import numpy as np

    from datafactory.corpora.corpus import Corpus

    Mask = np.ndarray[Any, np.dtype[np.bool_]]

Ranking = tuple[list[int], list[float]]
"""Numbers of the passages that were found, the best first, and the score of each. Of two with the same score the one
with the lower number comes first."""


class Index(Protocol):
    """The passages of one corpus, open for search; safe for threads."""

    def search(self, queries: Sequence[str], k: int, *, barred: Mask | None = None) -> list[Ranking]:
        """For each query `k` passages at most, and of each page no more than the retriever's `per_page`.

        A query without a word that could be found gives none. `barred`: pages (one truth value each) that are never
        found; what is found is then what a corpus without them would give, but for the weights of words.
        """
        ...


class Retriever(Spec):
    """The keys that every retriever has."""

    per_page: int = Field(default=1, ge=1, le=100)
    """How many passages of one page may be found for one query."""

    asked: ClassVar[tuple[str, ...]] = ("per_page",)
    """Keys that matter when it is asked, not when the index is built."""

    def build(self, corpus: Corpus, folder: Path) -> None:
        """Write the index of a corpus into an empty folder. Raises ConfigError, Missing."""
        raise NotImplementedError

    def open(self, corpus: Corpus, folder: Path) -> Index:
        """The index in a folder, memory-mapped. Raises ValueError or OSError where it is damaged, Missing."""
        raise NotImplementedError

    def parts(self) -> Sequence[Retriever]:
        """The retrievers that it is made of, each with an index of its own; none: it has an index itself."""
        return ()

    def joined(self, corpus: Corpus, indexes: Sequence[Index]) -> Index:
        """One index of those of its `parts`, in their order."""
        raise NotImplementedError

    def version(self) -> str:
        """Whatever shapes the index besides its keys: the format, the version of a library."""
        return ""

    def recipe(self) -> dict[str, Any]:
        """What shapes the index besides the corpus."""
        return {key: value for key, value in self.describe().items() if key not in self.asked} | {
            "version": self.version()
        }
