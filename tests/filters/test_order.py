"""What holds for every filter that judges rows one by one, whatever the rows: the order of filters decides nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.protocols import Filter
from datafactory.registry import find, table
from datafactory.types import MALFORMED
from tests.filters.process_rows import PATCH, bash, call, edit, frame, result, said

OPTIONS: dict[str, dict[str, Any]] = {
    "decontaminate": {"against": [str(Path(__file__).parents[1] / "data" / "gsm8k_20.jsonl")]},
    "length": {"max_turns": 3},
    "score": {"name": "quality", "min": 0.5},
}
"""What filters need that have no use without."""


def built(name: str) -> Any:
    found = find("filter", name)
    return found(**OPTIONS.get(name, {})) if getattr(found, "rowwise", False) else None


FILTERS: dict[str, Filter] = {name: made for name in table("filter") if (made := built(name)) is not None}
PIECES = [
    *(
        bash(line)
        for line in ("pytest -q", "git fetch origin", "cat /tests/check.py", "ls", "echo 1 > /logs/reward.txt")
    ),
    *(
        result(text)
        for text in ("1 failed\n[exit code 1]", "done\n[exit code 0]", "Traceback (most recent call last):")
    ),
    edit("src/core.py"),
    call("execute_bash", **{MALFORMED: "{"}),
    call("search", query=["who"]),
    call("answer", answer="Ada Lovelace"),
    said("I am Qwen, a model of Alibaba Cloud."),
    said("AKIA" + "Q3EGT7ZL4M2KXW5P and marta@firma.pl"),
    said("检查文件的内容" * 9),
    said("no " * 300),
    said(json.dumps({"analysis": "a", "plan": "p", "commands": [{"keystrokes": "ls\n"}], "task_complete": True})),
    said("{"),
]
ROWS = st.lists(
    st.fixed_dictionaries(
        {"messages": st.lists(st.sampled_from(PIECES), max_size=7).map(lambda more: [said("Go.", "user"), *more])},
        optional={
            "repo": st.sampled_from([None, "toolz"]),
            "corpus": st.sampled_from([None, "docs"]),
            "stop": st.sampled_from(["submitted", "turn_limit"]),
            "model_patch": st.sampled_from([None, "", PATCH, PATCH.replace("core.py", "tests/test_core.py")]),
            "agent": st.sampled_from(["openhands", "tools", "terminus-2", "search", ""]),
            "answer": st.sampled_from([None, "Ada Lovelace"]),
            "solved": st.sampled_from([None, True, False]),
            "n_faults": st.integers(0, 3),
        },
    ),
    max_size=4,
)


def test_nearly_every_filter_is_one_of_these() -> None:
    assert len(FILTERS) >= 18, sorted(FILTERS)


@pytest.mark.parametrize("name", FILTERS)
def test_a_table_without_rows_is_judged_too(name: str) -> None:
    rows = frame()
    assert rows.select(why=FILTERS[name].reject(rows)).collect().height == 0


@settings(max_examples=15, deadline=None)
@given(ROWS, st.permutations(sorted(FILTERS)))
def test_what_is_kept_is_whole_and_owes_nothing_to_the_order(rows: list[dict[str, Any]], order: list[str]) -> None:
    given_rows = frame(*rows)
    told = given_rows.select("id", **{name: FILTERS[name].reject(given_rows) for name in FILTERS}).collect()
    kept = left(given_rows, sorted(FILTERS))
    assert kept.to_dicts() == left(given_rows, order).to_dicts()
    together = told.filter(pl.all_horizontal(pl.col(name).is_null() for name in FILTERS))["id"].to_list()
    assert kept["id"].to_list() == together
    assert kept.to_dicts() == given_rows.filter(pl.col("id").is_in(together)).collect().to_dicts()


@settings(max_examples=15, deadline=None)
@given(ROWS)
def test_a_reason_begins_with_the_filters_name(rows: list[dict[str, Any]]) -> None:
    given_rows = frame(*rows)
    told = given_rows.select(**{name: FILTERS[name].reject(given_rows) for name in FILTERS}).collect()
    for name in FILTERS:
        assert all(reason.startswith(name) for reason in told[name].drop_nulls()), told[name]


def left(rows: pl.LazyFrame, order: list[str]) -> pl.DataFrame:
    """The rows that filters keep, one after another."""
    for name in order:
        rows = rows.filter(FILTERS[name].reject(rows).is_null())
    return rows.collect()
