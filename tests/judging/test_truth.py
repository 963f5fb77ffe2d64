"""Judges held against verdicts: each measure against the library or the definition that it must agree with."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, precision_score, recall_score, roc_auc_score

from datafactory.judging.ranking import best_of, pairs
from datafactory.judging.resampling import estimates
from datafactory.judging.truth import Truth, truth_of


def rows(*made: tuple[str, float, float], domain: str = "d") -> pl.DataFrame:
    """Attempts: task, reward, score."""
    names = ("task_id", "reward", "value")
    return pl.DataFrame(
        list(made), schema=dict(zip(names, (pl.String, pl.Float64, pl.Float64), strict=True)), orient="row"
    ).with_columns(domain=pl.lit(domain))


def many(seed: int, *, tasks: int = 40, attempts: int = 4, skill: float = 1.0) -> pl.DataFrame:
    """A judge with some skill: of 0 it guesses."""
    rng = np.random.default_rng(seed)
    made = []
    for task in range(tasks):
        for _ in range(attempts):
            reward = float(rng.choice([0.0, 0.25, 1.0]))
            value = float(np.clip(0.5 + skill * 0.3 * (reward - 0.5) + rng.normal(0, 0.2), 0, 1).round(2))
            made.append((f"t{task}", reward, value))
    return rows(*made)


attempts = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.2, 0.5, 1.0])),
    min_size=1,
    max_size=20,
)


@settings(max_examples=40, deadline=None)
@given(attempts)
def test_pairs_are_counted_as_one_would_by_hand(made):
    task, reward, value = (np.array(column) for column in zip(*made, strict=True))
    right, found = pairs(task, value, reward)
    for number in range(task.max() + 1):
        own = [(r, v) for t, r, v in made if t == number]
        differ = [(a, b) for a, b in combinations(own, 2) if a[0] != b[0]]
        by_hand = [0.5 if a[1] == b[1] else float((a[0] > b[0]) == (a[1] > b[1])) for a, b in differ]
        assert (found[number], right[number]) == (len(differ), sum(by_hand))


@settings(max_examples=40, deadline=None)
@given(attempts, st.integers(1, 4))
def test_the_best_of_k_is_the_mean_over_all_subsets(made, k):
    task, reward, value = (np.array(column) for column in zip(*made, strict=True))
    found = best_of(task, value, reward, k)
    for number in range(task.max() + 1):
        own = [(r, v) for t, r, v in made if t == number]
        picked = []
        for subset in combinations(own, k):
            best = max(v for _, v in subset)
            picked.append(np.mean([r for r, v in subset if v == best]))
        assert np.isnan(found[number]) if not picked else found[number] == pytest.approx(np.mean(picked))


@pytest.mark.parametrize("seed", range(3))
def test_auc_brier_precision_and_recall_are_those_of_scikit_learn(seed):
    frame = many(seed)
    truth = truth_of(frame)
    solved, value = (frame["reward"] == 1.0).to_numpy(), frame["value"].to_numpy()
    assert truth.auc is not None
    assert truth.brier is not None
    assert truth.auc.value == pytest.approx(roc_auc_score(solved, value))
    assert truth.brier.value == pytest.approx(brier_score_loss(solved, value))
    for found in truth.thresholds:
        assert found.precision is not None
        assert found.recall is not None
        assert found.precision.value == pytest.approx(precision_score(solved, value >= found.least))
        assert found.recall.value == pytest.approx(recall_score(solved, value >= found.least))
        assert found.kept == (value >= found.least).sum()


def test_calibration_is_told_by_bins_and_sums_to_its_error():
    made = [("a", 1.0, 0.95), ("a", 0.0, 0.95), ("b", 1.0, 1.0), ("b", 0.0, 0.05)]
    truth = truth_of(rows(*made))
    assert [(b.low, b.count, round(b.said, 4), round(b.solved, 4)) for b in truth.bins] == [
        (0.0, 1, 0.05, 0.0),
        (0.9, 3, 0.9667, 0.6667),
    ]
    assert truth.ece is not None
    assert truth.ece.value == pytest.approx((0.05 + 3 * 0.3) / 4)
    assert truth.constant_brier == 0.25


def test_a_perfect_judge_loses_nothing_and_a_perfectly_wrong_one_everything():
    made = [(f"t{n}", reward, reward) for n in range(30) for reward in (0.0, 1.0)]
    perfect = truth_of(rows(*made))
    wrong = truth_of(rows(*((task, reward, 1 - value) for task, reward, value in made)))
    assert (perfect.accuracy.value, perfect.auc.value, perfect.brier.value, perfect.ece.value) == (1, 1, 0, 0)
    assert (perfect.best[-1].k, perfect.best[-1].loss.value) == (2, 0)
    assert (wrong.accuracy.value, wrong.auc.value, wrong.best[-1].loss.value) == (0, 0, 1)
    assert perfect.notes == []


def test_the_worst_domain_is_the_lowest_of_those_with_enough_pairs():
    good = rows(*((f"g{n}", reward, reward) for n in range(12) for reward in (0.0, 1.0)), domain="good")
    bad = rows(*((f"b{n}", reward, 1 - reward) for n in range(12) for reward in (0.0, 1.0)), domain="bad")
    few = rows(("f", 0.0, 1.0), ("f", 1.0, 0.0), domain="few")
    truth = truth_of(pl.concat([good, bad, few]))
    assert truth.worst is not None
    assert (truth.worst[0], truth.worst[1].value, truth.worst[2]) == ("bad", 0.0, 12)
    assert truth.domains["few"][1] == 1
    assert truth.accuracy.value == pytest.approx(12 / 25)


def noted(truth: Truth, word: str) -> bool:
    return any(word in note for note in truth.notes)


def test_what_cannot_be_measured_is_said_plainly():
    nothing = truth_of(rows().clear())
    assert nothing.notes == ["no attempt has both a score that can be read and a verdict"]
    all_solved = truth_of(rows(("a", 1.0, 0.5), ("a", 1.0, 0.7), ("b", 1.0, 0.5)))
    assert all_solved.auc is None
    assert all_solved.accuracy is None
    assert noted(all_solved, "all 3 attempts are solved")
    assert noted(all_solved, "no task has attempts with different rewards")
    assert noted(all_solved, "only 2 tasks")
    none_solved = truth_of(rows(("a", 0.0, 0.5), ("a", 0.5, 0.7)))
    assert noted(none_solved, "all 2 attempts are unsolved")
    assert none_solved.thresholds[0].recall is None
    assert none_solved.accuracy is not None
    scale = truth_of(rows(("a", 0.0, 3.0), ("a", 1.0, 9.0)))
    assert scale.brier is None
    assert scale.bins == []
    assert noted(scale, "are no chances")


def test_a_judge_that_says_the_same_of_all_is_guessing():
    truth = truth_of(rows(*((f"t{n}", reward, 0.5) for n in range(40) for reward in (0.0, 1.0))))
    assert (truth.accuracy.value, truth.auc.value) == (0.5, 0.5)
    assert noted(truth, "gives 0.5 to every attempt")
    assert noted(truth, "cannot be told from guessing")


def test_scores_of_tasks_rank_no_attempts():
    truth = truth_of(rows(*((f"t{n}", reward, n / 40) for n in range(40) for reward in (0.0, 1.0))))
    assert noted(truth, "it is a score of tasks")


def test_intervals_are_of_tasks_and_the_same_in_every_run():
    """Attempts that repeat one another word for word are no further evidence."""
    frame = many(1, skill=0.5)
    one, four = truth_of(frame), truth_of(pl.concat([frame] * 4))
    again = truth_of(frame)
    assert one.auc == again.auc
    width, wide = one.auc.high - one.auc.low, four.auc.high - four.auc.low
    assert width == pytest.approx(wide, rel=0.05)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """80 samples of a mean of 50 tasks: 95 % intervals miss it now and then, but not often."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(80):
        drawn = rng.random(50)
        found = estimates(lambda w, drawn=drawn: {"mean": w @ drawn / w.sum()}, 50, 2_000_000)["mean"]
        held += found.low <= 0.5 <= found.high
    assert 68 <= held <= 80
