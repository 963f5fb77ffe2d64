"""Clusters of planted vectors: density, means, samples, outliers, and how topics are numbered."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from datafactory.topics.clustering import Clusters, Wish, cluster, nearest_to_centres

SIZES = (60, 40, 25)


def wish(**keys: Any) -> Wish:
    made: dict[str, Any] = {
        "method": "hdbscan",
        "min_size": 8,
        "topics": None,
        "dims": 64,
        "nearest": False,
        "seed": 1,
        **keys,
    }
    return Wish(**made)


def planted(*, width: int = 12, loose: int = 10, blank: int = 2) -> npt.NDArray[np.float32]:
    """Three tight bundles of directions, the largest last, then loose ones, then rows of zeros."""
    rng = np.random.default_rng(0)
    bundles = [rng.normal(size=width) + 0.1 * rng.normal(size=(size, width)) for size in reversed(SIZES)]
    made = np.concatenate([*bundles, rng.normal(size=(loose, width))])
    unit = made / np.linalg.norm(made, axis=1, keepdims=True)
    return np.concatenate([unit, np.zeros((blank, width))]).astype(np.float32)


def all_of(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    return np.arange(len(vectors))


TRUTH = np.repeat([2, 1, 0], [25, 40, 60])


def test_planted_topics_are_found_and_the_largest_is_number_0() -> None:
    vectors = planted()
    found = cluster(vectors, all_of(vectors), wish())
    assert (found.labels[:125] == TRUTH).mean() > 0.97
    assert (found.labels[125:] < 0).sum() >= 10
    assert found.sizes.tolist() == sorted(found.sizes.tolist(), reverse=True)
    assert np.linalg.norm(found.centres, axis=1) == pytest.approx(np.ones(3))


def test_tasks_outside_the_sample_go_where_their_nearest_one_is() -> None:
    vectors = planted()
    sample = np.arange(0, len(vectors), 2)
    found = cluster(vectors, sample, wish())
    assert (found.labels[:125] == TRUTH).mean() > 0.95


def test_a_topic_under_the_least_size_is_none() -> None:
    vectors = planted(loose=0)
    found = cluster(vectors, all_of(vectors), wish(method="kmeans", topics=3, min_size=30))
    assert len(found.centres) == 2
    assert set(found.labels[:25]) == {-1}


def test_outliers_go_to_the_nearest_topic_where_that_is_wished_but_blanks_never() -> None:
    vectors = planted()
    found = cluster(vectors, all_of(vectors), wish(nearest=True))
    assert (found.labels[:-2] >= 0).all()
    assert (found.labels[-2:] == -1).all()
    loose = vectors[130]
    assert found.labels[130] == (found.centres @ loose).argmax()


def test_k_means_makes_as_many_as_it_is_told() -> None:
    vectors = planted(loose=0)
    found = cluster(vectors, all_of(vectors), wish(method="kmeans", topics=3, min_size=2))
    assert (found.labels[:125] == TRUTH).all()
    assert (found.labels[125:] == -1).all()


def test_wide_vectors_are_reduced_first() -> None:
    vectors = planted(width=100)
    found = cluster(vectors, all_of(vectors), wish(dims=8))
    assert (found.labels[:125] == TRUTH).mean() > 0.97
    assert found.centres.shape == (3, 100)


@pytest.mark.parametrize("method", ["hdbscan", "kmeans"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_tasks_make_no_topic_and_no_error(method: str, count: int) -> None:
    vectors = planted()[:count]
    found = cluster(vectors, all_of(vectors), wish(method=method))
    assert found.labels.tolist() == [-1] * count
    assert len(found.centres) == len(found.sizes) == 0
    assert nearest_to_centres(vectors, found, 3) == []


def test_the_tasks_nearest_a_centre_come_first() -> None:
    vectors = planted()
    found = cluster(vectors, all_of(vectors), wish())
    for number, near in enumerate(nearest_to_centres(vectors, found, 5)):
        own = np.flatnonzero(found.labels == number)
        best = own[np.argsort(-(vectors[own] @ found.centres[number]), kind="stable")][:5]
        assert near.tolist() == best.tolist()


def test_a_small_topic_has_fewer_near_its_centre() -> None:
    vectors = np.eye(3, dtype=np.float32)
    found = Clusters(np.array([0, -1, 0]), np.array([[1, 0, 1]], dtype=np.float32) / np.sqrt(2))
    assert [near.tolist() for near in nearest_to_centres(vectors, found, 5)] == [[0, 2]]
