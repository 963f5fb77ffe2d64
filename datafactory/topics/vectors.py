"""A vector for each task's prompt, made once and kept on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafactory.errors import StorageError, boundary
from datafactory.topics.embedder import Embedder
from datafactory.topics.reading import Prompts
from datafactory.types import digest_of
from datafactory.whole import whole

if TYPE_CHECKING:
    from datafactory.topics.embedder import Vectors
    from datafactory.topics.reading import Indices

FORMAT = 1
"""Number of what is kept; another one makes vectors anew."""


def vectors_of(
    prompts: Prompts, embedder: Embedder, sample: Indices, *, seed: int, folder: Path, files: list[str]
) -> Vectors:
    """Float32, tasks x width, in the order of `prompts`, mapped from a file in `folder`.

    Made from what the sample teaches and kept there under a digest of all that shapes them (`files`: digests of what
    the embedder reads), the table's size and time of change included. Raises StorageError.
    """
    import numpy as np

    stat = prompts.path.stat()
    about = [FORMAT, embedder.describe(), files, seed, len(sample), prompts.chars, stat.st_size, stat.st_mtime_ns]
    path = folder / f"vectors-{digest_of(about)}.npy"
    if not path.exists():
        encode = embedder.fit(prompts.texts(sample), seed=seed)
        with whole(path) as draft, boundary(StorageError, f"writing {path.name}"):
            made: np.memmap[Any, Any] | None = None
            for numbers, texts in prompts.batches():
                found = encode(texts)
                if made is None:
                    shape = (len(prompts), found.shape[1])
                    made = np.lib.format.open_memmap(draft, mode="w+", dtype=np.float32, shape=shape)
                made[numbers] = found
            if made is None:  # a table without rows
                made = np.lib.format.open_memmap(draft, mode="w+", dtype=np.float32, shape=(0, 1))
            made.flush()
    mapped: Vectors = np.load(path, mmap_mode="r")
    return mapped
