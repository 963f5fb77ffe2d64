"""What the filter `score` drops, the reason it gives, and what it says of itself."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from datafactory.protocols import Measured
from datafactory.table import empty
from filters.score import Score

SCORES = pl.List(pl.Struct({"name": pl.String, "value": pl.Float64, "judge": pl.String, "note": pl.String}))
SCHEMA = {"id": pl.String, "task_id": pl.String, "reward": pl.Float64, "scores": SCORES}


def said(value: float | None, judge: str = "combined", name: str = "success") -> dict[str, Any]:
    return {"name": name, "value": value, "judge": judge, "note": ""}


def frame(*scores: list[dict[str, Any]] | None, rewards: list[float | None] | None = None) -> pl.LazyFrame:
    """An attempt for each list of scores, two at a task."""
    made = [
        {"id": f"t{n // 2}/{n % 2}", "task_id": f"t{n // 2}", "reward": rewards[n] if rewards else None, "scores": of}
        for n, of in enumerate(scores)
    ]
    return pl.LazyFrame(made, schema=SCHEMA)


def reasons(filter: Score, *scores: list[dict[str, Any]] | None) -> list[str | None]:
    rows = frame(*scores)
    return rows.select(why=filter.reject(rows)).collect()["why"].to_list()


def test_a_score_names_the_bound_and_who_judged():
    rows = [[said(0.35)], [said(0.5)], [said(0.9)], [said(0.91, "b"), said(0.2, "c"), said(0.95)]]
    assert reasons(Score(name="success", min=0.5, max=0.9), *rows) == [
        "score: success 0.35 < 0.5 by combined",
        None,
        None,
        "score: success 0.95 > 0.9 by combined",
    ]


def test_the_only_judge_speaks_for_all_and_a_named_one_for_itself():
    alone, two = [said(0.2, "qwen")], [said(0.2, "qwen"), said(0.8, "llama")]
    assert reasons(Score(name="success", min=0.5), alone, two) == [
        "score: success 0.2 < 0.5 by qwen",
        "score: no success by combined",
    ]
    assert reasons(Score(name="success", min=0.5, judge="llama"), alone, two) == ["score: no success by llama", None]


def test_a_score_that_is_missing_or_without_a_number_is_dropped_or_kept():
    rows = [None, [], [said(1.0, name="quality")], [said(None)], [said(float("nan"))]]
    none, unread = "score: no success by combined", "score: success by combined has no number"
    assert reasons(Score(name="success", min=0.5), *rows) == [none, none, none, unread, unread]
    assert reasons(Score(name="success", min=0.5, missing="keep"), *rows) == [None] * 5


def test_names_with_braces_are_names():
    assert reasons(Score(name="a{}b", min=1, judge="{x}"), []) == ["score: no a{}b by {x}"]


def test_it_can_be_tried_on_a_table_without_rows():
    rows = empty()
    assert rows.select(Score(name="success", min=0.5).reject(rows).alias("why")).collect().height == 0


@pytest.mark.parametrize(
    ("keys", "message"),
    [({}, "needs `min` or `max`"), ({"min": 1, "max": 0}, r"min \(1\) is larger than max \(0\): nothing would stay")],
)
def test_bounds_that_make_no_sense_are_refused(keys, message):
    with pytest.raises(ValidationError, match=message):
        Score(name="success", **keys)


values = st.one_of(st.none(), st.floats(0, 1))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(values, values), min_size=1, max_size=8), st.floats(0, 1), st.sampled_from(["drop", "keep"]))
def test_rows_stay_exactly_where_the_bound_holds_and_none_changes(made, least, missing):
    scores = [[said(one), said(two, name="quality")] for one, two in made]
    rows = frame(*scores)
    filter = Score(name="success", min=least, missing=missing)
    kept = rows.filter(filter.reject(rows).is_null()).collect()
    wanted = [missing == "keep" if one is None else one >= least for one, _ in made]
    assert kept.equals(rows.collect().filter(pl.Series(wanted, dtype=pl.Boolean)))


def test_it_states_its_precision_and_recall_on_rows_with_a_verdict():
    given_scores = [[said(value)] for value in (0.9, 0.8, 0.7, 0.1, 0.2, 0.9, 0.9, 0.1)]
    rewards = [1.0, 1.0, 0.5, 1.0, 0.0, 0.0, None, None]
    filter = Score(name="success", min=0.5)
    assert isinstance(filter, Measured)
    made = filter.measure(frame(*given_scores, rewards=rewards))
    assert (made["verified"], made["solved"], made["kept"]) == (6, 3, 4)
    precision, recall = made["precision"], made["recall"]
    assert (precision[0], recall[0]) == (0.5, 0.666667)
    assert precision[1] <= 0.5 <= precision[2]


def test_what_cannot_be_measured_is_said_to_be_none():
    filter = Score(name="success", min=0.5)
    nothing = {"solved": 0, "kept": 0, "verified": 0, "precision": None, "recall": None}
    assert filter.measure(frame([said(0.9)])) == nothing
    unsolved = filter.measure(frame([said(0.9)], [said(0.1)], rewards=[0.0, 0.0]))
    assert (unsolved["precision"], unsolved["recall"]) == ([0.0, 0.0, 0.0], None)
