"""Tasks are kept by how often they were solved."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from filters.difficulty import interval
from filters.pass_rate import PassRate

SCHEMA = {"task_id": pl.String, "solved": pl.Boolean}


def frame(**tasks: str) -> pl.LazyFrame:
    """Tasks with their attempts: `+` solved, `-` not, `?` not verified."""
    marks = {"+": True, "-": False, "?": None}
    rows = [{"task_id": task, "solved": marks[mark]} for task, outcomes in tasks.items() for mark in outcomes]
    return pl.LazyFrame(rows, schema=SCHEMA)


def reasons(filter: PassRate, rows: pl.LazyFrame) -> dict[str, str | None]:
    """For each task, why its attempts go; all go, or none."""
    found = rows.with_columns(why=filter.reject(rows)).collect().unique(maintain_order=True)
    assert found.group_by("task_id").agg(pl.col("why").n_unique())["why"].max() in (1, None)
    return dict(found.select("task_id", "why").iter_rows())


def test_tasks_go_that_are_too_hard_or_too_easy():
    rows = frame(hard="---", even="+-", easy="+++++", some="+---")
    assert reasons(PassRate(min=0.3, max=0.9), rows) == {
        "hard": "pass_rate: 0 of 3 solved (0.0–0.56) < 0.3",
        "even": None,
        "easy": "pass_rate: 5 of 5 solved (0.57–1.0) > 0.9",
        "some": "pass_rate: 1 of 4 solved (0.05–0.7) < 0.3",
    }


def test_only_mixed_outcomes_stay_where_that_is_asked():
    rows = frame(never="--", always="++", both="+-", unsure="+?")
    assert reasons(PassRate(mixed=True), rows) == {
        "never": "pass_rate: 0 of 2 solved: not mixed",
        "always": "pass_rate: 2 of 2 solved: not mixed",
        "both": None,
        "unsure": "pass_rate: 1 of 1 solved: not mixed",
    }


def test_attempts_without_a_verdict_do_not_count():
    rows = frame(none="??", few="+-?", enough="+-+-")
    assert reasons(PassRate(min_attempts=3), rows) == {
        "none": "pass_rate: 0 verified attempts < 3",
        "few": "pass_rate: 2 verified attempts < 3",
        "enough": None,
    }


def test_few_attempts_drop_little_where_it_must_be_sure():
    rows = frame(once="+", often="+" * 40, never="-" * 40)
    found = reasons(PassRate(min=0.1, max=0.9, sure=True), rows)
    assert found["once"] is None
    assert found["often"] == "pass_rate: 40 of 40 solved (0.91–1.0) > 0.9"
    assert found["never"] == "pass_rate: 0 of 40 solved (0.0–0.09) < 0.1"


def test_no_rows_are_no_trouble():
    assert frame().select(why=PassRate(mixed=True).reject(frame())).collect().height == 0


def test_bounds_the_wrong_way_round_are_a_mistake():
    with pytest.raises(ValidationError, match=r"min \(0\.9\) is more than max \(0\.2\)"):
        PassRate(min=0.9, max=0.2)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 30), st.integers(1, 30))
def test_the_interval_is_wilsons(solved: int, more: int):
    from scipy.stats import binomtest

    total = max(solved, more)
    rows = frame(task="+" * solved + "-" * (total - solved))
    low, high = interval()
    found = rows.select(low=low, high=high).collect().row(0)
    wanted = binomtest(solved, total).proportion_ci(method="wilson")
    assert found == pytest.approx((wanted.low, wanted.high), abs=1e-9)
