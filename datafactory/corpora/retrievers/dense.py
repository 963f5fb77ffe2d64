"""Search by meaning: passages and queries as vectors of any sentence-transformers model, compared one and all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from datafactory.corpora.retrievers.bm25 import mapped, rankings
from datafactory.corpora.retrievers.retriever import Index, Ranking, Retriever
from datafactory.errors import ConfigError, Missing

if TYPE_CHECKING:
    from datafactory.corpora.corpus import Corpus
    from datafactory.corpora.retrievers.retriever import Mask

FORMAT = "1"
_ROWS = 1 << 14
"""Vectors that are compared at once: 24 MB where they have 384 numbers."""
_SMALL = 1 << 20
"""Bytes up to which a model's file is known by its content, and not by its size."""


class Dense(Retriever):
    """By meaning: vectors of a sentence-transformers model, or of a folder of transformers with mean pooling; exact,
    without an index that guesses. Needs `pip install datafactory[dense]`."""

    model: str = Field(min_length=1)
    """A folder, or a name on the Hugging Face Hub."""
    revision: str | None = None
    """Commit or branch on the Hub."""
    query_prefix: str = ""
    """Put before each query: `query: ` for e5 models."""
    passage_prefix: str = ""
    """Put before each passage: `passage: ` for e5 models."""
    max_tokens: int = Field(default=256, ge=16)
    """Tokens of a passage or query that count; ASearcher's server takes 256."""
    batch: int = Field(default=64, ge=1, exclude=True)
    """Passages that are encoded at once."""
    device: str | None = Field(default=None, exclude=True)
    """Where the model runs, such as `cuda:0` or `cpu`; left out: a GPU where there is one."""

    use_name: ClassVar[str] = "dense"
    asked: ClassVar[tuple[str, ...]] = ("per_page", "query_prefix")

    def build(self, corpus: Corpus, folder: Path) -> None:
        """See `Retriever.build`."""
        import numpy as np

        encoder = Encoder(self)
        texts, count = corpus.passages.texts(), len(corpus.passages)
        vectors = np.lib.format.open_memmap(
            folder / "vectors.npy", mode="w+", dtype=np.float16, shape=(count, encoder.width)
        )
        at = 0
        for chunk in _chunks(texts, 64 * self.batch):
            vectors[at : at + len(chunk)] = encoder(chunk, self.passage_prefix)
            at += len(chunk)
        bounds = corpus.passages.starts
        np.save(folder / "pages.npy", np.repeat(np.arange(len(bounds) - 1, dtype=np.int32), np.diff(bounds)))

    def open(self, corpus: Corpus, folder: Path) -> Index:
        """See `Retriever.open`."""
        return Vectors(folder, Encoder(self), self.query_prefix, self.per_page, passages=len(corpus.passages))

    def version(self) -> str:
        """See `Retriever.version`: of a folder, its files."""
        place = Path(self.model)
        if not place.is_dir():
            return FORMAT
        seen = hashlib.sha256()
        for path in sorted(path for path in place.rglob("*") if path.is_file()):
            size = path.stat().st_size
            seen.update(f"{path.relative_to(place)} {size}\n".encode())
            if size <= _SMALL:
                seen.update(path.read_bytes())
        return f"{FORMAT}, {seen.hexdigest()[:16]}"


class Encoder:
    """Texts as vectors of length 1; safe for threads."""

    def __init__(self, spec: Dense) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise Missing(f"a dense retriever needs `pip install datafactory[dense]` ({error})") from error
        try:
            self._model = SentenceTransformer(spec.model, revision=spec.revision, device=spec.device)
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigError(f"the model {spec.model} of the dense retriever cannot be loaded: {error}") from error
        self._model.max_seq_length = min(spec.max_tokens, self._model.max_seq_length or spec.max_tokens)
        self._batch = spec.batch
        self._lock = Lock()
        self.width = len(self([""], "")[0])

    def __call__(self, texts: Sequence[str], prefix: str) -> Any:
        """Float32, texts x width."""
        with self._lock:  # a fast tokenizer refuses two threads
            return self._model.encode(
                [prefix + text for text in texts],
                batch_size=self._batch,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            ).astype("float32", copy=False)


class Vectors:
    """The vectors of a corpus, open."""

    def __init__(self, folder: Path, encoder: Encoder, prefix: str, per_page: int, *, passages: int) -> None:
        self._vectors, self._pages = mapped(folder / "vectors.npy"), mapped(folder / "pages.npy")
        if not len(self._vectors) == len(self._pages) == passages:
            raise ValueError(f"it is of {len(self._vectors):,} passages, not of {passages:,}")
        self._encoder, self._prefix, self._per_page = encoder, prefix, per_page

    def search(self, queries: Sequence[str], k: int, *, barred: Mask | None = None) -> list[Ranking]:
        """See `Index.search`; the score is the cosine."""
        import numpy as np

        from datafactory.corpora.retrievers import kernels

        asked = [at for at, query in enumerate(queries) if query.strip()]
        answers: list[Ranking] = [([], []) for _ in queries]
        if not asked:
            return answers
        wanted = self._encoder([queries[at] for at in asked], self._prefix)
        k = min(k, len(self._pages))
        found = (
            np.empty((len(asked), k), dtype=np.int32),
            np.empty((len(asked), k), dtype=np.float32),
            np.zeros(len(asked), dtype=np.int64),
        )
        nobody = np.empty(0, dtype=np.bool_) if barred is None else barred
        for first in range(0, len(self._vectors), _ROWS):
            scores = wanted @ self._vectors[first : first + _ROWS].astype(np.float32).T
            kernels.pick(scores, first, self._pages, nobody, self._per_page, found)
        for at, ranking in zip(asked, rankings(found), strict=True):
            answers[at] = ranking
        return answers


def _chunks(texts: Iterator[str], size: int) -> Iterator[list[str]]:
    while chunk := list(islice(texts, size)):
        yield chunk
