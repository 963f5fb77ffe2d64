"""Numbers of trials, against values that are known."""

from __future__ import annotations

from itertools import combinations
from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafactory.evaluating.report import Result, groups, result, steps
from datafactory.evaluating.statistics import Interval, Ratio, intervals, mcnemar, pass_at
from datafactory.types import Message, Stop, Trajectory, Trial


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_draws_with_a_solved_attempt(drawn: tuple[int, int, int]) -> None:
    attempts, solved, k = drawn
    outcomes = [number < solved for number in range(attempts)]
    draws = [any(some) for some in combinations(outcomes, k)]
    assert pass_at(k, attempts=attempts, solved=solved) == pytest.approx(sum(draws) / len(draws))


def test_pass_at_k_of_fewer_than_k_attempts_is_not_known() -> None:
    assert isnan(pass_at(5, attempts=4, solved=4))
    assert pass_at(1, attempts=200, solved=30) == pytest.approx(0.15)
    assert pass_at(100, attempts=200, solved=1) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("gained", "lost", "p"),
    [(0, 0, 1.0), (4, 0, 0.125), (6, 0, 0.03125), (5, 5, 1.0), (10, 2, 0.038574), (121, 59, 4.4344e-6)],
)
def test_mcnemar_is_the_two_sided_binomial_test(gained: int, lost: int, p: float) -> None:
    from scipy.stats import binomtest

    assert mcnemar(gained, lost) == mcnemar(lost, gained) == pytest.approx(p, rel=1e-3)
    if gained + lost:
        assert mcnemar(gained, lost) == pytest.approx(binomtest(gained, gained + lost).pvalue)


def test_many_pairs_are_no_trouble_for_the_test() -> None:
    assert mcnemar(3000, 2000) < 1e-40 and mcnemar(2500, 2500) == 1.0


def mean(values: list[float], bounds: tuple[float, float] | None = (0.0, 1.0)) -> Interval:
    told = intervals({"it": Ratio(np.array(values), np.ones(len(values)), bounds)})
    return told["it"]


def test_an_interval_is_as_wide_as_theory_says() -> None:
    value, low, high = mean([1.0] * 120 + [0.0] * 280)
    half = 1.96 * (0.3 * 0.7 / 400) ** 0.5
    assert value == 0.3 and (low, high) == pytest.approx((0.3 - half, 0.3 + half), abs=0.006)


def test_nothing_solved_is_not_known_to_be_never() -> None:
    """Wilson's interval of 0 of 500 is [0, 0.0076], of 500 of 500 its mirror."""
    assert mean([0.0] * 500) == (0.0, 0.0, 0.007624)
    assert mean([1.0] * 500) == (1.0, 0.992376, 1.0)
    assert mean([7.0] * 500, None) == (7.0, 7.0, 7.0), "what has no bounds has no such interval"


def test_attempts_at_one_task_are_no_independent_evidence() -> None:
    rows = [
        Result("trained", "task", f"t{task}", number, "d", "g", float(task % 2), 3, 3, 10, "submitted")
        for task in range(40)
        for number in range(8)
    ]
    found = groups(rows, 8)[0]
    assert found.base is None and found.difference is None and found.trained is not None
    value, low, high = found.trained.pass_at[1]
    assert value == 0.5 and high - low > 0.25, "as wide as for 40 tasks, not for 320 attempts"
    assert list(found.trained.pass_at) == steps(8) == [1, 2, 4, 8] and steps(6) == [1, 2, 4, 6]


def test_a_pair_that_lost_an_attempt_does_not_count_where_it_is_needed() -> None:
    def row(student: str, task: str, number: int, reward: float) -> Result:
        return Result(student, "task", task, number, "d", "g", reward, 1, 1, 1, "submitted")  # type: ignore[arg-type]

    rows = [
        row("base", "a", 0, 0.0),
        row("base", "a", 1, 0.0),
        row("trained", "a", 0, 1.0),
        row("trained", "a", 1, 0.5),
    ]
    rows += [row("base", "b", 0, 1.0), row("base", "b", 1, 0.0), row("trained", "b", 1, 1.0)]
    rows += [row("trained", "c", 0, 1.0)]
    found = groups(rows, 2)[0]
    assert found.difference is not None and found.trained is not None
    assert found.difference.tasks == 2 and found.difference.pass_at[1].value == 0.5
    assert (found.difference.gained, found.difference.lost) == (1, 0), "of b the trained student's first is lost"
    assert found.trained.pass_at[2] == (1.0, 0.206549, 1.0), "a alone has two"
    assert found.trained.reward is not None and found.trained.reward.value == 0.875


@pytest.mark.parametrize(
    ("said", "stop", "turns", "valid"),
    [
        ((), "truncated", 1, 0),
        ((), "context_limit", 0, 0),
        ((Message(role="assistant", content="{", fault="cut off"),), "truncated", 1, 0),
        ((Message(role="assistant", content="{}"), Message(role="user", content="seen")), "truncated", 2, 1),
        ((Message(role="assistant", content="{}"), Message(role="user", content="seen")), "turn_limit", 1, 1),
    ],
)
def test_an_answer_of_which_nothing_came_could_not_be_read(
    said: tuple[Message, ...], stop: Stop, turns: int, valid: int
) -> None:
    asked = Message(role="user", content="do it")
    attempt = Trajectory(task_id="t", attempt=0, teacher="t", agent="tools", messages=(asked, *said), stop=stop)
    made = result(Trial(student="base", part="task", attempt=attempt))
    assert (made.turns, made.valid, made.solved) == (turns, valid, False)


def test_tasks_that_were_trained_on_count_in_no_other_group() -> None:
    rows = [
        Result("trained", "trained", "a", 0, "d1", "g", 1.0, 1, 1, 1, "submitted"),
        Result("trained", "task", "b", 0, "d2", "g", 0.0, 1, 1, 1, "submitted"),
        Result("trained", "prompts", "q", 0, "sums", "", 1.0, 1, 1, 1, "submitted"),
    ]
    solved = {(made.by, made.name): made.trained.solved for made in groups(rows, 4) if made.trained is not None}
    assert solved == {
        ("all", "held-out tasks"): 0,
        ("part", "task"): 0,
        ("part", "trained"): 1,
        ("domain", "d2"): 0,
        ("generator", "g"): 0,
        ("prompts", "sums"): 1,
    }
