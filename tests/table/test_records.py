"""Sealed records come back equal."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.errors import DataError
from datafactory.table import read_records, write_records
from datafactory.types import (
    Check,
    CheckResult,
    Example,
    File,
    Lineage,
    Message,
    Reject,
    Source,
    Step,
    Task,
    ToolCall,
    Trajectory,
    Verdict,
)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.text("abc", min_size=1, max_size=3)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(text, json_values, max_size=2)
file = st.builds(File, data=st.binary(max_size=9), mode=st.sampled_from([0o644, 0o755])) | st.builds(File, link=names)
messages = st.lists(
    st.builds(
        Message,
        role=st.sampled_from(["user", "assistant"]),
        content=text,
        reasoning_content=st.none() | text,
        tool_calls=st.lists(st.builds(ToolCall, id=names, name=names, arguments=objects), max_size=2).map(tuple),
        fault=st.none() | text,
    ),
    max_size=3,
).map(tuple)
verdicts = st.none() | st.builds(
    Verdict,
    reward=st.floats(0, 1),
    checks=st.just((CheckResult(name="c", outcome="failed", score=0.1),)),
)
tasks = st.builds(
    Task,
    id=names,
    digest=names,
    prompt=text.filter(bool),
    files=st.dictionaries(names.map("/".__add__), file, max_size=2),
    checks=st.builds(Check, name=names, argv=st.just(("true",)), timeout=st.floats(0.1, 9)).map(lambda c: (c,)),
    solution=st.lists(st.builds(Step, thought=text, command=text), max_size=2).map(tuple),
    skills=st.lists(text, max_size=2).map(tuple),
    source=st.builds(Source, generator=names, facts=objects),
)
trajectories = st.builds(
    Trajectory,
    task_id=names,
    attempt=st.integers(0, 99),
    teacher=names,
    agent=names,
    messages=messages,
    tools=st.lists(objects, max_size=1).map(tuple),
    artifacts=st.dictionaries(names.map("/".__add__), file, max_size=1),
    stop=st.just("submitted"),
    verdict=verdicts,
    seconds=st.floats(0, 1e9),
    lineage=st.builds(Lineage, seed=st.integers(), sampling=objects),
)
examples = st.builds(
    Example,
    rank=st.integers(0, 99),
    task_id=names,
    attempt=st.integers(0, 9),
    messages=messages,
    train_turns=st.lists(st.booleans(), max_size=3).map(tuple),
)
rejects = st.builds(Reject, reason=text, what=st.none() | objects)


def order(record):
    """What sealed records are sorted by."""
    if isinstance(record, Example):
        return record.rank
    return (record.task_id, record.attempt) if isinstance(record, Trajectory) else getattr(record, "id", 0)


@settings(max_examples=60, deadline=None)
@given(shelf=st.one_of(*(st.lists(kind, min_size=1, max_size=4) for kind in (tasks, trajectories, examples, rejects))))
def test_what_is_sealed_comes_back_equal_and_in_order(tmp_path_factory, shelf):
    path, kind = tmp_path_factory.getbasetemp() / "shelf.parquet", type(shelf[0])
    assert write_records(shelf, path, kind) == len(shelf)
    assert list(read_records(path, kind)) == sorted(shelf, key=order)


def test_plain_fields_are_columns_of_their_own(attempt, tmp_path):
    write_records([attempt()[1]], tmp_path / "tasks.parquet", Task)
    found = pl.read_parquet(tmp_path / "tasks.parquet", columns=["id", "difficulty", "skills"])
    assert found.to_dicts() == [{"id": "t-1", "difficulty": "medium", "skills": ["count_lines"]}]


def test_an_empty_shelf_is_sealed_too(tmp_path):
    assert write_records([], tmp_path / "tasks.parquet", Task) == 0
    assert list(read_records(tmp_path / "tasks.parquet", Task)) == []


def test_half_a_surrogate_pair_survives(attempt, tmp_path):
    _, task = attempt()
    odd = task.but(source=Source(generator="g", facts={"a": "\ud800"}))
    write_records([odd], tmp_path / "tasks.parquet", Task)
    assert list(read_records(tmp_path / "tasks.parquet", Task)) == [odd]


def test_what_is_no_such_table_is_a_data_error(attempt, tmp_path):
    write_records([attempt()[1]], tmp_path / "tasks.parquet", Task)
    (tmp_path / "torn.parquet").write_bytes((tmp_path / "tasks.parquet").read_bytes()[:-9])
    for name, kind, message in (
        ("tasks", Trajectory, "holds Task records, not Trajectory"),
        ("torn", Task, "torn.parquet"),
        ("gone", Task, "no such file"),
    ):
        with pytest.raises(DataError, match=message):
            list(read_records(tmp_path / f"{name}.parquet", kind))
