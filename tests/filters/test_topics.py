"""The filter `topics` on hand-made rows: every reason, draws that stay, and what is missing."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from datafactory.errors import ConfigError
from datafactory.table import empty
from filters.topics import Topics

NAMES = {0: "regular expressions", 1: "graphs", -1: "none"}


def table(*tasks: tuple[str, int | None, float | None], attempts: int = 1) -> pl.LazyFrame:
    """Rows of tasks, each with an id, a cluster and the number of indicators (None: it has no score)."""
    rows = [
        {
            "id": f"{task}/{attempt}",
            "task_id": task,
            "cluster": cluster,
            "topic": NAMES.get(cluster) if cluster is not None else None,
            "scores": [] if value is None else [{"name": "indicators", "value": value, "judge": "j", "note": ""}],
        }
        for task, cluster, value in tasks
        for attempt in range(attempts)
    ]
    kept = ("id", "task_id", "cluster", "topic", "scores")
    schema = {name: dtype for name, dtype in empty().collect_schema().items() if name in kept}
    return pl.LazyFrame(rows, schema=schema)


def reasons(rows: pl.LazyFrame, **keys: Any) -> dict[str, str | None]:
    """What the filter says of each row."""
    made = rows.select("id", Topics(**keys).reject(rows).alias("reason")).collect(engine="streaming")
    return dict(made.iter_rows())


def test_a_topic_with_a_low_mean_goes_whatever_its_tasks_are_worth() -> None:
    rows = table(("a", 0, 7), ("b", 0, 2), ("c", 1, 5), ("d", 1, 5))
    said = "topics: topic 0 (regular expressions): mean indicators 4.5 < 5"
    assert reasons(rows, min_mean=5) == {"a/0": said, "b/0": said, "c/0": None, "d/0": None}


def test_a_mean_is_of_tasks_and_not_of_attempts() -> None:
    rows = pl.concat([table(("a", 0, 7), attempts=3), table(("b", 0, 3))])
    assert set(reasons(rows, min_mean=5).values()) == {None}
    assert set(reasons(rows, min_mean=5.1).values()) == {
        "topics: topic 0 (regular expressions): mean indicators 5 < 5.1".replace(" 5 <", " 5.0 <")
    }


def test_a_task_under_the_least_score_goes_with_all_its_attempts() -> None:
    rows = table(("a", 0, 5.5), ("b", 0, 6), attempts=2)
    said = "topics: indicators 5.5 < 6"
    assert reasons(rows, min=6) == {"a/0": said, "a/1": said, "b/0": None, "b/1": None}


def test_a_small_topic_goes() -> None:
    rows = table(("a", 0, None), ("b", 0, None), ("c", 1, None))
    assert reasons(rows, min_tasks=2)["c/0"] == "topics: topic 1 (graphs): 1 tasks < 2"
    assert reasons(rows, min_tasks=2)["a/0"] is None


def test_tasks_of_no_topic_stay_unless_they_are_unwanted() -> None:
    rows = table(("a", 0, 6), ("b", -1, 6), ("c", -1, 2), ("d", None, 6))
    assert reasons(rows, min=5, min_mean=5, min_tasks=1, per_topic=1) == {
        "a/0": None,
        "b/0": None,
        "c/0": "topics: indicators 2.0 < 5",
        "d/0": None,
    }
    dropped = reasons(rows, outliers="drop")
    assert dropped == {"a/0": None, **dict.fromkeys(("b/0", "c/0", "d/0"), "topics: of no topic")}


def test_a_missing_score_is_dropped_or_kept_as_is_wished() -> None:
    rows = table(("a", 0, None), ("b", 1, 6))
    assert reasons(rows, min=5)["a/0"] == "topics: no number of indicators"
    said = "topics: topic 0 (regular expressions): no task has a number of indicators"
    assert reasons(rows, min_mean=5)["a/0"] == said
    assert set(reasons(rows, min=5, min_mean=5, missing="keep").values()) == {None}


def test_tasks_are_drawn_after_the_thresholds_and_attempts_stay_together() -> None:
    tasks = [(f"t{number}", number % 2, 6.0 if number < 10 else 1.0) for number in range(20)]
    found = reasons(table(*tasks, attempts=2), min=6, per_topic=2)
    kept = sorted(id for id, reason in found.items() if reason is None)
    assert len(kept) == 8
    assert {id.partition("/")[0] for id in kept[::2]} == {id.partition("/")[0] for id in kept[1::2]}
    assert [int(id[1:].partition("/")[0]) < 10 for id in kept] == [True] * 8
    lost = {reason for reason in found.values() if reason and "drawn" in reason}
    assert lost == {
        "topics: topic 0 (regular expressions): not among the 2 tasks drawn of 5",
        "topics: topic 1 (graphs): not among the 2 tasks drawn of 5",
    }


def test_weights_by_name_or_number_change_how_many_are_drawn() -> None:
    rows = table(*[(f"t{number}", number % 2, None) for number in range(20)])
    found = reasons(rows, per_topic=4, weights={"graphs": 0.5, "0": 0})
    left = [int(id[1:].partition("/")[0]) % 2 for id, reason in found.items() if reason is None]
    assert left == [1, 1]
    assert "topics: topic 0 (regular expressions): not among the 0 tasks drawn of 10" in found.values()


def test_topics_are_drawn_of_those_that_have_a_task_left() -> None:
    rows = table(("a", 0, 1), ("b", 1, 6), ("c", -1, 6))
    assert reasons(rows, min=5, max_topics=1)["b/0"] is None
    rows = table(("a", 0, 6), ("b", 1, 6), ("c", -1, 6))
    found = reasons(rows, min=5, max_topics=1)
    assert found["c/0"] is None
    [lost] = [reason for reason in found.values() if reason]
    assert lost.endswith("not among the 1 topics drawn of 2")


def test_of_several_judges_the_combined_one_counts() -> None:
    scores = [{"name": "indicators", "value": v, "judge": j, "note": ""} for v, j in ((7, "x"), (1, "y"), (4, "z"))]
    scores[2]["judge"] = "combined"
    rows = table(("a", 0, 1)).with_columns(scores=pl.lit(pl.Series([scores])))
    assert reasons(rows, min=5) == {"a/0": "topics: indicators 4.0 < 5"}
    assert reasons(rows, min=5, judge="x") == {"a/0": None}


def test_an_empty_table_passes_and_one_without_clusters_says_what_to_do() -> None:
    assert reasons(table(), min=5) == {}
    with pytest.raises(ConfigError, match="put the stage `cluster` before this one"):
        reasons(table(("a", None, 5)), min=5)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "it would keep every row"),
        ({"weights": {"graphs": 2}, "min": 5}, "`weights` multiply `per_topic`"),
        ({"per_topic": 0}, "greater than or equal to 1"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Topics(**keys)


def test_a_weight_for_a_topic_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="no topic is called 'grahps'; did you mean 'graphs'"):
        reasons(table(("a", 1, 6)), per_topic=1, weights={"grahps": 2})


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_what_is_drawn_does_not_depend_on_the_order_of_rows(data: st.DataObject) -> None:
    tasks = [(f"t{number}", number % 3 - 1, float(number % 8)) for number in range(12)]
    keys = {"min": 1, "min_mean": 2, "per_topic": data.draw(st.integers(1, 4)), "seed": data.draw(st.integers(0, 3))}
    mixed = data.draw(st.permutations(tasks))
    assert reasons(table(*mixed), **keys) == reasons(table(*tasks), **keys)
