"""What each filter drops, and the reason it gives."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from datafactory.protocols import Filter
from filters.duplicate import Duplicate
from filters.format import Format
from filters.length import Length
from filters.solved import Solved

USER = {"role": "user", "content": "go"}
ANSWER = {"role": "assistant", "content": "done"}
PLAIN = {
    "id": "t/0",
    "task_id": "t",
    "attempt": 0,
    "instruction": "go",
    "messages": [USER, ANSWER],
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "train_turns": [False, True],
    "stop": "submitted",
    "reward": 1.0,
    "n_turns": 1,
    "n_faults": 0,
    "n_chars": 6,
    "completion_tokens": 2,
    "student_tokens": None,
    "content_hash": "h",
}
SCHEMA = {
    **dict.fromkeys(("id", "task_id", "instruction", "stop", "content_hash"), pl.String),
    **dict.fromkeys(("attempt", "n_turns", "n_faults", "n_chars", "completion_tokens", "student_tokens"), pl.Int64),
    "messages": pl.List(pl.String),
    "tools": pl.List(pl.String),
    "train_turns": pl.List(pl.Boolean),
    "reward": pl.Float64,
}


def frame(*rows: dict) -> pl.LazyFrame:
    """Rows that are plain but for what is given."""
    made = [{**PLAIN, **row} for row in rows]
    texts = [{**row, **{key: [json.dumps(m) for m in row[key]] for key in ("messages", "tools")}} for row in made]
    return pl.LazyFrame(texts, schema=SCHEMA)


def reasons(filter: Filter, *rows: dict) -> list[str | None]:
    """For each row, why it was dropped."""
    given_rows = frame(*rows)
    return given_rows.select(why=filter.reject(given_rows)).collect()["why"].to_list()


def calls(*ids: str) -> dict:
    """An answer with tool calls."""
    return {"role": "assistant", "content": "", "tool_calls": [{"id": id, "function": {"name": "f"}} for id in ids]}


def result(id: str | None) -> dict:
    """A tool's result."""
    return {"role": "tool", "content": "", **({} if id is None else {"tool_call_id": id})}


def test_solved_wants_the_reward():
    rows = [{"reward": reward} for reward in (1.0, 0.99, 0.0, None)]
    dropped = ["solved: reward 0.99 < 1.0", "solved: reward 0.0 < 1.0"]
    assert reasons(Solved(), *rows) == [None, *dropped, "solved: not verified"]
    assert reasons(Solved(min_reward=0.5, unverified=True), *rows) == [None, None, "solved: reward 0.0 < 0.5", None]


def test_length_names_the_bound_that_was_crossed():
    rows = [{"n_turns": 31}, {"n_turns": 25}, {"n_turns": 0}, {"n_chars": 900}, {"completion_tokens": 99}]
    filter = Length(max_turns=25, max_chars=800, max_completion_tokens=50)
    assert reasons(filter, *rows) == [
        "length: 31 turns > 25",
        None,
        "length: 0 turns < 1",
        "length: 900 chars > 800",
        "length: 99 completion tokens > 50",
    ]


def test_length_counts_in_the_students_tokens_where_they_are_known():
    rows = [{"student_tokens": 101}, {"student_tokens": 100}, {"student_tokens": None}]
    assert reasons(Length(max_tokens=100), *rows) == ["length: 101 student tokens > 100", None, None]
    assert reasons(Length(), *rows) == [None, None, None]


def test_length_refuses_bounds_that_keep_nothing():
    with pytest.raises(ValidationError, match=r"min_turns \(9\) is larger than max_turns \(5\)"):
        Length(min_turns=9, max_turns=5)


def test_duplicate_keeps_the_first_by_task_and_attempt():
    rows = [
        {"id": "b/10", "task_id": "b", "attempt": 10},
        {"id": "b/2", "task_id": "b", "attempt": 2},
        {"id": "c/0", "task_id": "c", "content_hash": "other"},
        {"id": "d/0", "task_id": "d"},
    ]
    same = "duplicate: same messages as b/2"
    assert reasons(Duplicate(), *rows) == [same, None, None, same]
    assert reasons(Duplicate(), *rows[::-1]) == [same, None, None, same]
    prompts = reasons(Duplicate(on="prompt"), *rows)
    assert [why is None for why in prompts] == [False, True, False, False]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({}, None),
        ({"stop": "truncated"}, "format: stopped by truncated"),
        ({"messages": [USER], "n_turns": 0}, "format: no answer"),
        ({"n_turns": 4, "n_faults": 2}, None),
        ({"n_turns": 4, "n_faults": 3}, "format: 3 of 4 turns are errors > 0.5"),
        ({"messages": [USER, {"role": "assistant", "content": " \n"}]}, "format: 1 empty messages"),
        ({"messages": [{"role": "user", "content": ""}, ANSWER]}, "format: 1 empty messages"),
        ({"messages": [USER, calls("a"), result("a"), ANSWER]}, None),
        ({"messages": [USER, calls("a", "b"), result("b"), result("a"), calls("c")]}, None),
        ({"messages": [USER, calls("a"), result("a"), calls("a"), result("a"), ANSWER]}, None),
        ({"messages": [USER, calls("a", "b"), result("a"), ANSWER]}, "format: 1 tool calls without a result"),
        ({"messages": [USER, calls("a"), result("a"), calls("a"), ANSWER]}, "format: 1 tool calls without a result"),
        ({"messages": [USER, result("x"), ANSWER]}, "format: 1 tool results without a call"),
        ({"messages": [USER, calls("a"), result("a"), ANSWER, result("a")]}, "format: 1 tool results without a call"),
        ({"messages": [USER, calls("a"), result(None), ANSWER]}, "format: 1 tool results without a call"),
        ({"messages": [USER, ANSWER, USER]}, None),
    ],
)
def test_format_says_what_is_wrong(row, reason):
    assert reasons(Format(), row) == [reason]


def test_format_can_be_told_otherwise():
    loose = {"messages": [USER, result("x"), {"role": "assistant", "content": ""}]}
    assert reasons(Format(loose_tools=True, empty=True), loose) == [None]
    assert reasons(Format(stops=("submitted",)), {"stop": "turn_limit"}) == ["format: stopped by turn_limit"]
    ends = Format(ends_with_answer=True)
    open_end, closed_end = {"messages": [USER, ANSWER, USER]}, {"messages": [USER, calls("a"), result("a")]}
    assert reasons(ends, open_end, closed_end, {}) == ["format: ends with a user message", None, None]


message = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": st.sampled_from(["", "x", "é\n"])},
    optional={
        "tool_call_id": st.sampled_from("ab"),
        "tool_calls": st.lists(st.fixed_dictionaries({"id": st.sampled_from("ab")}), min_size=1, max_size=2),
        "reasoning_content": st.just("hm"),
    },
)
row = st.fixed_dictionaries(
    {
        "messages": st.lists(message, max_size=5),
        "reward": st.none() | st.floats(0, 1),
        "n_turns": st.integers(0, 3),
        "n_faults": st.integers(0, 3),
        "n_chars": st.integers(0, 9),
        "stop": st.sampled_from(["submitted", "truncated"]),
        "content_hash": st.sampled_from("hij"),
    }
)


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(row, max_size=5))
def test_every_row_is_kept_or_dropped_with_a_reason(rows):
    rows = [{**made, "id": f"t/{i}", "attempt": i} for i, made in enumerate(rows)]
    for filter in (Solved(), Length(min_turns=2, max_chars=5), Duplicate(), Format(ends_with_answer=True)):
        found = reasons(filter, *rows)
        assert len(found) == len(rows)
        assert all(why is None or why.startswith(type(filter).__name__.lower() + ": ") for why in found)
        kept = [made for made, why in zip(rows, found, strict=True) if why is None]
        assert reasons(filter, *kept) == [None] * len(kept)
        backwards = reasons(filter, *rows[::-1])
        assert backwards[::-1] == found


@settings(max_examples=60, deadline=None)
@given(messages=st.lists(message, max_size=6))
def test_loose_tools_are_found_as_a_plain_loop_finds_them(messages):
    open_calls: set[str] = set()
    orphans, unanswered, last = set(), 0, sum(m["role"] == "assistant" for m in messages)
    seen: set[str] = set()
    turn = 0
    for m in [*messages, {"role": "assistant", "content": "end"}]:
        if m["role"] == "assistant":
            unanswered += len(open_calls - seen) if turn < last else 0
            turn, open_calls, seen = turn + 1, {c["id"] for c in m.get("tool_calls", ())}, set()
        elif m["role"] == "tool":
            seen.add(m.get("tool_call_id", "(none)"))
            if m.get("tool_call_id") not in open_calls:
                orphans.add((turn, m.get("tool_call_id")))
    (why,) = reasons(Format(empty=True), {"messages": messages})
    expected = f"format: {len(orphans)} tool results without a call" if orphans else None
    if expected is None and unanswered:
        expected = f"format: {unanswered} tool calls without a result"
    assert why == expected


def test_the_filter_in_the_documentation_works():
    page = (Path(__file__).parents[2] / "docs" / "filters.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict = {}
    exec(code, names)
    curl = {"messages": [USER, {"role": "assistant", "content": "curl x"}]}
    assert reasons(names["NoCurl"](), {}, curl) == [None, "no_curl: calls curl"]
