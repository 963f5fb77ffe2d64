"""Clusters of vectors: HDBSCAN on a sample and the nearest neighbour for the rest, or mini-batch k-means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from datafactory.topics.embedder import Vectors
    from datafactory.topics.reading import Indices

Method = Literal["hdbscan", "kmeans"]

CHUNK = 1024
"""Vectors that are compared with all others at once: 80 MB where these are 20,000."""
FEWEST = 5
"""Tasks of a topic in the sample at least, however small a part the sample is."""
PER_TOPIC = 50
"""Tasks for one topic of k-means where nobody says how many: BenchBuilder found about 4,000 topics in 200,000 prompts
(arXiv 2406.11939, section 4)."""
MOST = 4000
"""Topics of k-means at most where nobody says how many."""
CAREFUL = 100
"""Topics up to which k-means chooses its first centres apart (k-means++). For 1,000 of 100,000 random directions that
took 108 s and a random choice 0.3 s, and after the same number of steps the inertia was the same within 0.1 %."""


@dataclass(frozen=True)
class Wish:
    """How tasks are to be clustered."""

    method: Method
    min_size: int
    """Tasks of a topic at least."""
    topics: int | None
    """Of k-means."""
    dims: int
    """Wider vectors are reduced to so many numbers first."""
    nearest: bool
    """Whether tasks of no topic go to the nearest one."""
    seed: int


@dataclass(frozen=True)
class Clusters:
    """Which task belongs to which topic; the largest is number 0."""

    labels: Indices
    """For each task; -1: of none."""
    centres: Vectors
    """For each topic, in the vectors' own space, of length 1."""

    @property
    def sizes(self) -> Indices:
        """Tasks of each topic."""
        import numpy as np

        return np.bincount(self.labels[self.labels >= 0], minlength=len(self.centres))


def cluster(vectors: Vectors, sample: Indices, wish: Wish) -> Clusters:
    """Cluster vectors of length 1 (or 0: of no topic, whatever is wished). The same vectors, sample and wish give the
    same clusters."""
    import numpy as np

    known = np.concatenate([part.any(axis=1) for part in _parts(vectors)]) if len(vectors) else np.zeros(0, dtype=bool)
    chosen = sample[known[sample]]
    space = _reduced(vectors, chosen, wish)
    find = _by_density if wish.method == "hdbscan" else _by_means
    labels = np.where(known, find(space, chosen, known, wish), -1)
    labels = _numbered(labels, wish.min_size)
    if wish.nearest and labels.max(initial=-1) >= 0:
        centres = _centres(vectors, labels)
        loose = np.flatnonzero(known & (labels < 0))
        for at in range(0, len(loose), CHUNK):
            some = loose[at : at + CHUNK]
            labels[some] = (vectors[some] @ centres.T).argmax(axis=1)
        labels = _numbered(labels, wish.min_size)
    return Clusters(labels, _centres(vectors, labels))


def nearest_to_centres(vectors: Vectors, clusters: Clusters, count: int) -> list[Indices]:
    """For each topic the numbers of the `count` tasks nearest its centre, the nearest first."""
    import numpy as np

    close = np.full(len(vectors), -1.0, dtype=np.float32)
    for at in range(0, len(vectors), CHUNK):
        own = clusters.centres[clusters.labels[at : at + CHUNK]] if len(clusters.centres) else 0.0
        close[at : at + CHUNK] = (vectors[at : at + CHUNK] * own).sum(axis=1)
    order = np.lexsort((-close, clusters.labels))
    ends = np.searchsorted(clusters.labels[order], np.arange(len(clusters.centres)))
    return [order[start : start + min(count, size)] for start, size in zip(ends, clusters.sizes, strict=True)]


def _reduced(vectors: Vectors, chosen: Indices, wish: Wish) -> Vectors:
    """The vectors, or as many numbers of their principal components as are wished, of length 1 again."""
    import numpy as np
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import normalize

    dims = min(wish.dims, len(chosen))
    if vectors.shape[1] <= wish.dims or dims < 2:
        return vectors
    pca = PCA(dims, random_state=wish.seed, svd_solver="covariance_eigh").fit(vectors[chosen])
    return np.concatenate([normalize(pca.transform(part)).astype(np.float32) for part in _parts(vectors)])


def _by_density(space: Vectors, chosen: Indices, known: npt.NDArray[np.bool_], wish: Wish) -> Indices:
    import numpy as np
    from sklearn.cluster import HDBSCAN

    share = len(chosen) / max(1, int(known.sum()))
    smallest = max(2, min(wish.min_size, FEWEST), int(np.ceil(wish.min_size * share)))
    labels = np.full(len(space), -1, dtype=np.int64)
    if len(chosen) < smallest:
        return labels
    found = HDBSCAN(min_cluster_size=smallest, copy=True).fit(space[chosen]).labels_.astype(np.int64)
    labels[chosen] = found
    rest = known.copy()
    rest[chosen] = False
    base, loose = space[chosen], np.flatnonzero(rest)
    for at in range(0, len(loose), CHUNK):
        some = loose[at : at + CHUNK]
        labels[some] = found[(space[some] @ base.T).argmax(axis=1)]
    return labels


def _by_means(space: Vectors, chosen: Indices, known: npt.NDArray[np.bool_], wish: Wish) -> Indices:
    import numpy as np
    from sklearn.cluster import MiniBatchKMeans

    tasks = np.flatnonzero(known)
    wanted = wish.topics or min(MOST, max(2, len(tasks) // PER_TOPIC))
    labels = np.full(len(space), -1, dtype=np.int64)
    if len(tasks):
        count = min(wanted, len(tasks))
        start = "k-means++" if count <= CAREFUL else "random"
        means = MiniBatchKMeans(count, init=start, random_state=wish.seed, batch_size=4096, n_init=3, max_iter=20)
        labels[tasks] = means.fit(space[tasks]).labels_
    return labels


def _numbered(labels: Indices, min_size: int) -> Indices:
    """Topics by falling size, those of the same size by their first task; one under `min_size` is none."""
    import numpy as np

    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    good = (names >= 0) & (sizes >= min_size)
    order = np.lexsort((first[good], -sizes[good]))
    new = np.full(int(labels.max(initial=-1)) + 2, -1, dtype=np.int64)  # the last place is that of -1
    new[names[good][order]] = np.arange(len(order))
    numbered: Indices = new[labels]
    return numbered


def _centres(vectors: Vectors, labels: Indices) -> Vectors:
    import numpy as np
    from sklearn.preprocessing import normalize

    count = int(labels.max(initial=-1)) + 1
    sums = np.zeros((count, vectors.shape[1]), dtype=np.float64)
    for at in range(0, len(vectors), 1 << 16):
        here = labels[at : at + (1 << 16)]
        np.add.at(sums, here[here >= 0], vectors[at : at + (1 << 16)][here >= 0])
    return normalize(sums).astype(np.float32) if count else sums.astype(np.float32)


def _parts(vectors: Vectors) -> Iterator[Any]:
    for at in range(0, len(vectors), 1 << 16):
        yield vectors[at : at + (1 << 16)]
