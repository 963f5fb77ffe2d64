"""What every embedder promises: after a look at some texts, it turns any text into a vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

Encode = Callable[[Sequence[str]], "Vectors"]
"""Texts to float32, texts x width, rows of length 1; a row of zeros: nothing in the text is known."""


@runtime_checkable
class Embedder(Protocol):
    """Turns prompts into vectors, near each other where they are about the same."""

    def describe(self) -> dict[str, Any]:
        """What shapes the vectors, as JSON."""
        ...

    def fit(self, sample: Sequence[str], *, seed: int) -> Encode:
        """Learn what there is to learn from a sample of the prompts. Raises ConfigError or Missing."""
        ...
