"""What a curriculum takes of each group: sizes, temperature, caps and conditions, held against plain sums."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from datafactory.errors import ConfigError
from filters.curricula.conditions import holds, said
from filters.curricula.quotas import filled, largest, rounded
from filters.mixed import Mixed


def rows(**of_domain: int) -> pl.LazyFrame:
    """So many attempts, two a task, in each domain; `student_tokens` counts from 1 in each."""
    made = [
        {
            "id": f"{domain}-{at // 2}/{at % 2}",
            "task_id": f"{domain}-{at // 2}",
            "domain": domain,
            "generator": f"g{at % 2}",
            "repo": "" if domain == "x" else f"repo-{domain}",
            "student_tokens": 1 + at,
            "solved": [True, False, None][at % 3],
            "skills": ["a", "b"][: at % 3],
        }
        for domain, count in of_domain.items()
        for at in range(count)
    ]
    return pl.LazyFrame(made)


def seen(curriculum: Mixed, given: pl.LazyFrame, by: str = "domain") -> dict[str, int]:
    """How many rows of each group there are."""
    return dict(Counter(curriculum.arrange(given, seed=7).collect()[by].to_list()))


def times(curriculum: Mixed, given: pl.LazyFrame) -> Counter[str]:
    """How often each row is seen."""
    return Counter(curriculum.arrange(given, seed=7).collect()["id"].to_list())


def test_a_temperature_evens_out_and_keeps_the_size():
    given = rows(x=800, y=200)
    assert seen(Mixed(temperature=1), given) == {"x": 800, "y": 200}
    assert seen(Mixed(temperature=2), given) == {"x": 667, "y": 333}  # 800^0.5 : 200^0.5 is 2 : 1
    assert seen(Mixed(temperature=100), given) == {"x": 503, "y": 497}


def test_no_row_is_seen_more_often_than_is_allowed_and_the_others_fill_up():
    found = times(Mixed(temperature=100, rows=100, max_repeats=3), rows(x=200, y=10))
    of_y = {id: number for id, number in found.items() if id.startswith("y")}
    assert set(of_y.values()) == {3} and len(of_y) == 10
    assert sum(found.values()) == 100 and max(found[id] for id in found if id.startswith("x")) == 1


def test_where_nothing_can_fill_a_size_there_is_less():
    assert sum(times(Mixed(rows=1000, max_repeats=2), rows(x=30)).values()) == 60


def test_a_size_is_met_and_copies_differ_by_one_at_most():
    found = times(Mixed(rows=75), rows(x=30))
    assert sum(found.values()) == 75 and set(found.values()) == {2, 3}


def test_weights_are_relative_where_there_is_a_size():
    given = rows(x=100, y=100)
    assert seen(Mixed(rows=100, domains={"x": 3}), given) == {"x": 75, "y": 25}
    both = Mixed(rows=80, weights={"domain": {"x": 3}, "generator": {"g1": 0}})
    assert seen(both, given) == {"x": 60, "y": 20} and seen(both, given, "generator") == {"g0": 80}


def test_weights_of_columns_multiply_where_there_is_none():
    found = times(Mixed(weights={"domain": {"x": 2}, "generator": {"g1": 2}}), rows(x=20, y=20))
    assert {found[f"{d}-0/{a}"]: (d, a) for d in "xy" for a in (0, 1)} == {2: ("y", 1), 4: ("x", 1), 1: ("y", 0)}


def test_tokens_come_near_their_number_from_below():
    given = rows(x=60, y=40)
    found = Mixed(tokens=900, temperature=100).arrange(given, seed=7).collect()
    got = dict(found.group_by("domain").agg(pl.col("student_tokens").sum()).iter_rows())
    assert all(450 - 62 < tokens <= 452 for tokens in got.values()), got
    assert found["id"].is_unique().all()


def test_tokens_that_nobody_counted_are_said():
    given = rows(x=5).with_columns(student_tokens=pl.lit(None, pl.Int64))
    with pytest.raises(ConfigError, match="5 of 5 rows have no student_tokens; name the student in the rollout"):
        Mixed(tokens=10).arrange(given, seed=7)


def test_a_repository_gives_no_more_than_its_share_and_rows_without_one_have_no_cap():
    assert seen(Mixed(max_per_repo=7), rows(x=30, y=30, z=5)) == {"x": 30, "y": 7, "z": 5}
    both = Mixed(max_per_task=1, max_per_repo=7).arrange(rows(y=30), seed=7).collect()
    assert both.height == 7 and both["task_id"].is_unique().all()


def test_who_is_drawn_does_not_hang_on_the_order_of_the_rows():
    one = Mixed(temperature=3, max_per_task=1, rows=40)
    given = rows(x=60, y=30)
    assert one.arrange(given, seed=7).collect().equals(one.arrange(given.reverse(), seed=7).collect())
    assert times(one, given) != Counter(one.arrange(given, seed=8).collect()["id"].to_list())


def test_each_rule_accounts_for_what_it_leaves():
    curriculum = Mixed(where={"solved": [True, False]}, max_per_task=1, domains={"x": 2, "securty": 3}, rows=20)
    assert curriculum.account(rows(x=30, y=30), seed=7) == [
        {"rule": "where solved true or false", "rows": 40},
        {"rule": "max_per_task 1", "rows": 30},
        {"rule": "weights by domain, 20 rows", "rows": 20},
        {"rule": "weights: no row has the domain 'securty'; one of: x, y", "rows": None},
    ]


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"domain": "x"}, 12),
        ({"domain": ["x", "y"], "generator": "g0"}, 12),
        ({"solved": True}, 8),
        ({"solved": None}, 8),
        ({"solved": [True, None]}, 16),
        ({"student_tokens": {"min": 2, "max": 3}}, 4),
        ({"student_tokens": {"max": 1}}, 2),
        ({"skills": "b"}, 8),
        ({"skills": ["a", "c"]}, 16),
        ({}, 24),
    ],
)
def test_conditions_hold_for_what_they_name(where, kept):
    given = rows(x=12, y=12)
    assert given.filter(holds(where, given.collect_schema())).collect().height == kept


def test_a_condition_is_said_in_words():
    where = {"domain": ["x", "y"], "solved": True, "reward": {"min": 0.5}, "turns": {"min": 2, "max": 3}, "task": None}
    assert said(where) == "domain x or y, solved true, reward >= 0.5, turns >= 2 and <= 3, task null"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rows": 1, "tokens": 1}, "two sizes"),
        ({"domains": {"x": 1}, "weights": {"domain": {"x": 1}}}, "`domains` is short for"),
        ({"where": {"domain": []}}, "domain: an empty list holds for no row"),
        ({"where": {"domain": {"from": 1}}}, "domain: a range has the keys min and max, or one of them, not from"),
        ({"where": {"turns": {"min": 5, "max": 2}}}, r"turns: min \(5\) is larger than max \(2\)"),
        ({"where": {"turns": {"min": "5"}}}, r"turns\.min: must be a number, not text"),
        ({"where": {"turns": [[1]]}}, "turns: must be a value, a list of values, or"),
    ],
)
def test_what_cannot_be_meant_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        Mixed(**fields)


def test_a_column_that_is_not_there_is_named_with_the_nearest():
    for fields, key in (({"where": {"domian": "x"}}, "where"), ({"temperature": 2, "by": "domian"}, "by")):
        with pytest.raises(ConfigError, match=f"{key}: the rows have no column 'domian'; did you mean 'domain'"):
            Mixed(**fields).arrange(rows(x=2), seed=7)


amounts = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50)), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(groups=amounts, total=st.integers(1, 200), repeats=st.integers(1, 4))
def test_amounts_are_in_proportion_up_to_what_there_is(groups, total, repeats):
    shares, have = [share for share, _ in groups], [number for _, number in groups]
    found = filled(total, shares, have, repeats)
    can = sum(repeats * number for share, number in groups if share)
    assert sum(found) == pytest.approx(min(total, can))
    assert all(amount <= repeats * number + 1e-9 for amount, number in zip(found, have, strict=True))
    free = [(a, s) for a, s, n in zip(found, shares, have, strict=True) if s and a < repeats * n - 1e-9]
    assert len({round(a / s, 6) for a, s in free}) <= 1, "groups that are not full have their share"
    assert sum(rounded(found)) == pytest.approx(sum(found), abs=0.5 + 1e-9)
    assert all(abs(a - b) < 1 for a, b in zip(found, rounded(found), strict=True))
    whole = Fraction(sum(shares))
    if whole:
        best = min(Fraction(repeats * n) * whole / s for s, n in groups if s)
        assert largest(shares, have, repeats) == pytest.approx(float(best))
