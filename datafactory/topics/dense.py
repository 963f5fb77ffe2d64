"""Prompts as vectors of their meaning, by any sentence-transformers model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from datafactory.corpora.retrievers.dense import Dense, Encoder
from datafactory.spec import Spec

if TYPE_CHECKING:
    from datafactory.topics.embedder import Encode, Vectors


class DenseEmbedder(Spec):
    """By meaning; BenchBuilder's code offers all-MiniLM-L6-v2. Needs `pip install datafactory[dense]`."""

    use_name: ClassVar[str] = "dense"

    model: str = Field(min_length=1)
    """A folder, or a name on the Hugging Face Hub."""
    revision: str | None = None
    """Commit or branch on the Hub."""
    prefix: str = ""
    """Put before each prompt: `query: ` for e5 models."""
    max_tokens: int = Field(default=256, ge=16)
    """Tokens of a prompt that count."""
    batch: int = Field(default=64, ge=1, exclude=True)
    """Prompts that are encoded at once."""
    device: str | None = Field(default=None, exclude=True)
    """Where the model runs, such as `cuda:0` or `cpu`; left out: a GPU where there is one."""

    def problems(self) -> Iterable[str]:
        """A missing package."""
        if find_spec("sentence_transformers") is None:
            yield "the embedder dense needs `pip install datafactory[dense]`"

    def inputs(self) -> Iterable[Path]:
        """The model's files, where it is a folder."""
        place = Path(self.model)
        return sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else ()

    def fit(self, sample: Sequence[str], *, seed: int) -> Encode:
        """See `Embedder.fit`; there is nothing to learn."""
        encoder = Encoder(
            Dense(
                model=self.model,
                revision=self.revision,
                max_tokens=self.max_tokens,
                batch=self.batch,
                device=self.device,
            )
        )

        def encode(texts: Sequence[str]) -> Vectors:
            return encoder(texts, self.prefix)  # type: ignore[no-any-return]

        return encode
