"""Prompts as vectors of what their words weigh, without a model: TF-IDF and a truncated SVD by scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from datafactory.spec import Spec

if TYPE_CHECKING:
    from datafactory.topics.embedder import Encode, Vectors

WORD = r"[^\W\d_]{2,}"
"""A word: letters of any script, two or more; so `read_csv` is two words, and numbers are none."""


class Tfidf(Spec):
    """Latent semantic analysis of the prompts themselves: nothing is downloaded, and any machine can run it.

    Weights and directions are learnt from a sample of the prompts. Words tell topics apart, not meanings: prompts in
    several languages, or in a script without spaces, want a `dense` embedder.
    """

    use_name: ClassVar[str] = "tfidf"

    dims: int = Field(default=64, ge=2, le=1024)
    """Numbers in a vector, where the sample has as many independent words."""
    max_words: int = Field(default=50_000, ge=100)
    """Words that count, the most frequent ones of the sample."""

    def fit(self, sample: Sequence[str], *, seed: int) -> Encode:
        """See `Embedder.fit`."""
        import numpy as np
        from sklearn.decomposition import TruncatedSVD
        from sklearn.preprocessing import normalize

        weigh = self._weigher(sample)
        if weigh is None:
            return lambda texts: np.zeros((len(texts), 1), dtype=np.float32)
        weights = weigh.transform(sample)
        dims = min(self.dims, weights.shape[1] - 1, weights.shape[0] - 1)
        svd = TruncatedSVD(dims, random_state=seed).fit(weights) if dims >= 2 else None

        def encode(texts: Sequence[str]) -> Vectors:
            made = weigh.transform(texts)
            short = made.toarray() if svd is None else svd.transform(made)
            # A text that shares nothing with the directions is a speck of rounding: it must not grow to length 1.
            short[np.linalg.norm(short, axis=1) < 1e-6] = 0
            return normalize(short).astype(np.float32, copy=False)  # type: ignore[no-any-return]

        return encode

    def _weigher(self, sample: Sequence[str]) -> Any | None:
        """The fitted vectorizer; None: the sample has no words. Words of half of all prompts, and of one alone, tell
        nothing about topics, unless there are few prompts."""
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer

        for rare, often in ((2, 0.5), (1, 1.0)):
            for stop in ("english", None):
                weigher = TfidfVectorizer(
                    token_pattern=WORD,
                    stop_words=stop,
                    sublinear_tf=True,
                    min_df=rare,
                    max_df=often,
                    max_features=self.max_words,
                    dtype=np.float32,
                )
                try:
                    return weigher.fit(sample)
                except ValueError:  # no word is left
                    continue
        return None
