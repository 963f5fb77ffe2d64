"""The Parquet file, as polars, pyarrow and `datasets` see it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafactory.errors import DataError, StorageError
from datafactory.table import COLUMNS, RowWriter, example, read_rows, row, scan, write_frame, write_parquet
from datafactory.table.order import ordered
from datafactory.types import Message, ToolCall

os.environ["HF_HUB_OFFLINE"] = "1"


def load(path, folder):
    import datasets

    return datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(folder / "cache"))


def test_datasets_gives_the_very_messages_back(attempt, tmp_path):
    pairs = [attempt("t-1", 0), attempt("t-1", 1, dialect="text", reward=None), attempt("t-2", 0, reward=0.5)]
    rows = [row(*pair) for pair in pairs]
    assert write_parquet(reversed(rows), tmp_path / "d.parquet") == 3
    assert list(load(tmp_path / "d.parquet", tmp_path)) == rows


def test_a_file_without_rows_still_has_the_columns(tmp_path):
    assert write_parquet([], tmp_path / "d.parquet") == 0
    assert scan(tmp_path / "d.parquet").collect_schema().names() == [column.name for column in COLUMNS]


def test_json_columns_are_the_json_feature_of_datasets(attempt, tmp_path):
    from datasets import Json, List

    write_parquet([row(*attempt())], tmp_path / "d.parquet")
    features = load(tmp_path / "d.parquet", tmp_path).features
    assert (features["messages"], features["tools"], features["lineage"]) == (List(Json()), List(Json()), Json())


def test_polars_sees_json_as_text(attempt, tmp_path):
    write_parquet([row(*attempt())], tmp_path / "d.parquet")
    frame = scan(tmp_path / "d.parquet")
    assert frame.collect_schema()["messages"] == pl.List(pl.String)
    first = frame.select(pl.col("messages").list.first()).collect().item()
    assert json.loads(first) == {"role": "system", "content": "You work in a shell."}


def test_the_same_rows_make_the_same_bytes_whatever_their_order(attempt, tmp_path):
    rows = [row(*attempt(f"t-{i}", k)) for i in range(5) for k in range(3)]
    write_parquet(rows, tmp_path / "a.parquet")
    write_parquet(reversed(rows), tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_filtered_frame_still_loads_as_messages(attempt, tmp_path):
    rows = [row(*attempt("t-1", k, reward=float(k))) for k in range(2)]
    write_parquet(rows, tmp_path / "d.parquet")
    kept = scan(tmp_path / "d.parquet").filter(pl.col("solved")).with_row_index("rank")
    kept = kept.with_columns(score=pl.lit(0.5), notes=pl.lit([{"a": "b"}]))
    assert write_frame(kept, tmp_path / "kept.parquet") == 1
    (found,) = load(tmp_path / "kept.parquet", tmp_path)
    assert found == {**rows[1], "rank": 0, "score": 0.5, "notes": [{"a": "b"}]}


def test_row_groups_are_cut_by_size_too(tmp_path):
    big = ({"task_id": f"t-{i:02d}", "attempt": 0, "task": str(i) * 1_000_000} for i in range(80))
    write_parquet(big, tmp_path / "d.parquet")
    write_frame(scan(tmp_path / "d.parquet"), tmp_path / "again.parquet")
    for name in ("d", "again"):
        held = pq.read_metadata(tmp_path / f"{name}.parquet")
        sizes = [held.row_group(i).num_rows for i in range(held.num_row_groups)]
        assert sum(sizes) == 80 and max(sizes) < 40, name


def test_what_no_reader_could_parse_is_mended(attempt, tmp_path):
    trajectory, task = attempt()
    odd = {"big": 2**70, "small": -(2**63) - 1, "nan": float("nan"), "half": "a\ud800b", "most": 2**64 - 1}
    call = trajectory.messages[2].tool_calls[0].but(arguments=odd)
    message = trajectory.messages[2].but(tool_calls=(call,))
    write_parquet([row(trajectory.but(messages=(message,)), task)], tmp_path / "d.parquet")
    (found,) = load(tmp_path / "d.parquet", tmp_path)
    expected = {"big": str(2**70), "small": str(-(2**63) - 1), "nan": None, "half": "a�b", "most": 2**64 - 1}
    assert found["messages"][0]["tool_calls"][0]["function"]["arguments"] == expected


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
arguments = st.dictionaries(text, st.none() | st.booleans() | numbers | text | st.lists(text, max_size=2), max_size=3)


@settings(max_examples=60, deadline=None)
@given(turns=st.lists(st.tuples(text, st.none() | text, st.none() | arguments), max_size=3))
def test_any_conversation_comes_back_to_the_letter(attempt, tmp_path_factory, turns):
    calls = [() if a is None else (ToolCall(id="c", name="f", arguments=a),) for _, _, a in turns]
    messages = tuple(
        Message(role="assistant", content=content, reasoning_content=thought, tool_calls=call)
        for (content, thought, _), call in zip(turns, calls, strict=True)
    )
    path = tmp_path_factory.getbasetemp() / "any.parquet"
    made = row(*attempt(messages=messages))
    write_parquet([made], path)
    (found,) = read_rows(path)
    assert found == made and example({**found, "rank": 0}).messages == messages


def test_a_broken_write_leaves_the_old_file(attempt, tmp_path):
    path = tmp_path / "d.parquet"
    write_parquet([row(*attempt())], path)
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), RowWriter(path) as writer:
        writer.write(row(*attempt("t-2")))
        raise ZeroDivisionError
    with pytest.raises(DataError, match="no such column: colour"), RowWriter(path) as writer:
        writer.write({"colour": "red"})
    with pytest.raises(StorageError), RowWriter(path) as writer:
        writer.write({"attempt": "not a number"})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("read", [scan, lambda path: list(read_rows(path))])
def test_a_missing_file_is_named(tmp_path, read):
    with pytest.raises(DataError, match=r"gone\.parquet"):
        read(tmp_path / "gone.parquet")


def test_a_torn_file_is_named(attempt, tmp_path):
    write_parquet([row(*attempt())], tmp_path / "d.parquet")
    (tmp_path / "torn.parquet").write_bytes((tmp_path / "d.parquet").read_bytes()[:-9])
    with pytest.raises(DataError, match=r"torn\.parquet"):
        list(read_rows(tmp_path / "torn.parquet"))


@settings(max_examples=50, deadline=None)
@given(items=st.lists(st.tuples(st.integers(0, 9), st.integers())), held=st.integers(1, 200))
def test_sorting_through_files_is_sorting(tmp_path_factory, items, held):
    found = list(ordered(items, lambda item: item[0], tmp_path_factory.getbasetemp(), held=held))
    assert found == sorted(items, key=lambda item: item[0])


GROW = """
import resource, sys
from pathlib import Path
from datafactory.table import COLUMNS, write_parquet
import pyarrow.parquet
def rows(count):
    for i in range(count):
        yield {"task_id": f"t-{(i * 7919) % count:07d}", "attempt": 0,
               "messages": [{"role": "user", "content": f"{i} " + "x" * 4000}]}
write_parquet(rows(int(sys.argv[1])), Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path):
    def peak(count: int) -> int:
        argv = [sys.executable, "-c", GROW, str(count), str(tmp_path / f"{count}.parquet")]
        made = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        return int(made.stdout)

    few, many = peak(30_000), peak(120_000)
    assert pq.read_metadata(tmp_path / "120000.parquet").num_rows == 120_000
    assert many < few + 60, f"{few} MiB at 30,000 rows, {many} MiB at 120,000"
