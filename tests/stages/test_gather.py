"""Rows of runs, files and data sets on one shelf: where they are from, whose ids clash, and what is not ours."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from datafactory.cli.exporting import export
from datafactory.cli.funnel import count
from datafactory.errors import ConfigError, DataError
from datafactory.pipeline import Execution, load
from datafactory.registry import build
from datafactory.run import Run
from datafactory.stages.gather import Gather
from datafactory.storage import Shelf, open_run
from datafactory.storage.layout import write_run
from datafactory.table import COLUMNS, example, read_rows, scan, write_parquet
from datafactory.types import Check, Message, Source, Task, Trajectory, Verdict

SAID = [{"role": "user", "content": "go"}, {"role": "assistant", "content": "gone"}]


def a_task(id: str) -> Task:
    """A task that wants nothing."""
    check = Check(name="c", argv=("true",))
    return Task(id=id, digest="d", prompt=f"do {id}", checks=(check,), source=Source(generator="gen"))


def an_attempt(task: str, attempt: int) -> Trajectory:
    """A solved attempt."""
    said = tuple(Message(role=m["role"], content=m["content"]) for m in SAID)  # type: ignore[arg-type]
    verdict = Verdict(reward=1.0)
    return Trajectory(
        task_id=task, attempt=attempt, teacher="t", agent="tools", messages=said, stop="submitted", verdict=verdict
    )


async def _run(path: Path, tasks: int) -> None:
    stages = [f"{n}-{name}-0" for n, name in enumerate(("synthesize", "verify"), 1)]
    rows = [{"use": folder.split("-")[1], "folder": folder} for folder in stages]
    write_run(path, {"name": path.name, "seed": 7, "pipeline": {}, "stages": rows})
    async with Shelf(path / stages[0], Task) as shelf:
        for at in range(tasks):
            await shelf.keep(f"t-{at}", a_task(f"t-{at}"))
        shelf.seal({"kept": tasks, "rejected": {}})
    async with Shelf(path / stages[1], Trajectory) as attempts:
        for at in range(tasks):
            await attempts.keep(f"t-{at}/0", an_attempt(f"t-{at}", 0))
        attempts.seal({"kept": tasks, "rejected": {}})


def a_run(path: Path, tasks: int = 3) -> str:
    """A finished run of record-wise stages."""
    asyncio.run(_run(path, tasks))
    return str(path)


def gathered(folder: Path, *sources: Any, **more: Any) -> tuple[pl.DataFrame, Shelf[Any]]:
    """The rows on the shelf."""
    stage = Gather.model_validate({"sources": sources, **more})
    assert list(stage.problems()) == []

    async def work() -> Shelf[Any]:
        async with Shelf(folder / "shelf", Trajectory) as shelf:
            await stage.run(None, Run(shelf))
            return shelf

    shelf = asyncio.run(work())
    return scan(folder / "shelf" / "records.parquet").collect(), shelf


def a_table(path: Path, *ids: str, **more: Any) -> str:
    """A table with columns of ours."""
    rows = [{"id": f"{id}/0", "task_id": id, "attempt": 0, "messages": SAID, "content_hash": id, **more} for id in ids]
    write_parquet(rows, path)
    return str(path)


def test_a_run_gives_its_judged_attempts_with_their_tasks(tmp_path: Path):
    rows, shelf = gathered(tmp_path, a_run(tmp_path / "zero"))
    assert rows.columns == [column.name for column in COLUMNS]
    assert rows["id"].to_list() == ["t-0/0", "t-1/0", "t-2/0"] and set(rows["origin"]) == {"zero"}
    assert rows["instruction"].to_list() == ["do t-0", "do t-1", "do t-2"] and rows["solved"].all()
    assert shelf.kept == 3 and not list((tmp_path / "zero").rglob("*.parquet")), "nothing is written into the run"


def test_ids_of_two_sources_are_told_apart_and_tasks_stay_the_same(tmp_path: Path):
    zero, hero = a_run(tmp_path / "zero", 2), a_run(tmp_path / "hero", 3)
    rows, shelf = gathered(tmp_path, zero, {"at": hero, "name": "later"})
    assert rows["id"].to_list() == ["zero:t-0/0", "zero:t-1/0", "later:t-0/0", "later:t-1/0", "t-2/0"]
    assert rows["task_id"].to_list() == ["t-0", "t-1", "t-0", "t-1", "t-2"]
    assert [(f["name"], f["rows"], f["ids_told_apart"]) for f in shelf.facts["gathered"]] == [
        ("zero", 2, 2),
        ("later", 3, 2),
    ]


def test_ids_of_two_sources_can_be_refused(tmp_path: Path):
    zero, hero = a_run(tmp_path / "zero"), a_run(tmp_path / "hero")
    with pytest.raises(DataError, match=r"the id 't-0/0' stands in zero and hero; `same_ids: tell_apart` renames"):
        gathered(tmp_path, zero, hero, same_ids="refuse")


def test_an_arranged_table_that_repeats_rows_is_refused(tmp_path: Path):
    path = a_table(tmp_path / "twice.parquet", "a", "a")
    with pytest.raises(DataError, match=r"twice\.parquet: the id 'a/0' stands there more than once"):
        gathered(tmp_path, path)


def test_tables_with_fewer_and_with_other_columns_are_brought_to_ours(tmp_path: Path):
    path = a_table(tmp_path / "ours.parquet", "a", reward=0.5)
    table = scan(Path(path)).collect().drop("license", "held_out", "origin")
    table.with_columns(mine=pl.lit(1), rank=pl.lit(0), n_turns=pl.lit(2.0)).write_parquet(path)
    rows, shelf = gathered(tmp_path, path)
    assert rows.columns == [column.name for column in COLUMNS]
    assert rows.select("license", "n_turns", "reward").row(0) == (None, 2, 0.5)
    assert rows["held_out"].to_list() == [[]] and json.loads(rows["messages"][0][1]) == SAID[1]
    assert shelf.facts["gathered"][0]["columns_dropped"] == ["mine"]


def test_a_column_of_ours_that_holds_something_else_is_refused(tmp_path: Path):
    path = a_table(tmp_path / "ours.parquet", "a")
    scan(Path(path)).collect().with_columns(reward=pl.lit("high")).write_parquet(path)
    with pytest.raises(DataError, match="the column 'reward' holds String, where our rows have Float64; rename it"):
        gathered(tmp_path, path)


def test_a_folder_gives_its_files_in_order_and_no_rejects(tmp_path: Path):
    for name, id in (("b", "x"), ("a", "y"), ("rejects", "z")):
        a_table(tmp_path / "data" / f"{name}.parquet", id)
    rows, _ = gathered(tmp_path, str(tmp_path / "data"))
    assert rows["task_id"].to_list() == ["y", "x"]


def test_conversations_of_others_are_counted_and_grouped_by_task(tmp_path: Path):
    calls = [{"id": "c", "type": "function", "function": {"name": "ls", "arguments": '{"path": "/"}'}}]
    asked = [*SAID[:1], {"role": "assistant", "content": None, "tool_calls": calls}, {"role": "tool", "content": "x"}]
    rows = [{"messages": SAID, "resolved": 1}, {"messages": SAID, "resolved": 0}, {"messages": asked, "resolved": -1}]
    pl.DataFrame([{**row, "messages": json.dumps(row["messages"]), "mine": 1} for row in rows]).write_parquet(
        tmp_path / "theirs.parquet"
    )
    found, shelf = gathered(tmp_path, str(tmp_path / "theirs.parquet"))
    assert found["task_id"].n_unique() == 1 and found["attempt"].to_list() == [0, 1, 2]
    assert found["solved"].to_list() == [True, False, None] and found["resolved"].to_list() == [1, 0, -1]
    assert found["n_turns"].to_list() == [1, 1, 1] and found["n_messages"].to_list() == [2, 2, 3]
    assert found["content_hash"].n_unique() == 2 and found["train_turns"][2].to_list() == [False, True, False]
    last = list(read_rows(tmp_path / "shelf" / "records.parquet"))[2]
    assert last["messages"][1]["tool_calls"][0]["function"] == {"name": "ls", "arguments": {"path": "/"}}
    assert shelf.facts["gathered"][0]["columns_dropped"] == ["mine"]


def test_sharegpt_is_read_too(tmp_path: Path):
    said = [{"from": "human", "value": "go"}, {"from": "gpt", "value": "gone"}]
    pl.DataFrame([{"conversations": said, "instance_id": "i-1"}]).write_parquet(tmp_path / "theirs.parquet")
    found, _ = gathered(tmp_path, str(tmp_path / "theirs.parquet"))
    assert [json.loads(text) for text in found["messages"][0]] == SAID and found["task_id"][0] == "i-1"


def test_rows_that_cannot_be_read_are_on_file_with_their_place(tmp_path: Path):
    rows = [SAID, [{"role": "robot", "content": "?"}], [{"role": "user", "content": "go"}, 7], []]
    pl.DataFrame({"messages": [json.dumps(row) for row in rows]}).write_parquet(tmp_path / "theirs.parquet")
    found, shelf = gathered(tmp_path, str(tmp_path / "theirs.parquet"))
    assert found.height == 1 and shelf.dropped == {"unreadable": 3}
    rejects = [json.loads(line) for line in (tmp_path / "shelf" / "rejects.jsonl").read_text().splitlines()]
    assert [(r["key"], r["detail"].partition(" ")[0]) for r in rejects] == [
        ("theirs:2", "messages[0].role:"),
        ("theirs:3", "messages[1]:"),
        ("theirs:4", "messages:"),
    ]


def test_a_source_without_a_row_that_can_be_read_stops_the_run(tmp_path: Path):
    pl.DataFrame({"messages": ["hello"]}).write_parquet(tmp_path / "theirs.parquet")
    with pytest.raises(DataError, match=r"none of its 1 rows can be read; of theirs:1: messages: text that is no JSON"):
        gathered(tmp_path, str(tmp_path / "theirs.parquet"))
    pl.DataFrame({"text": ["hello"]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(DataError, match=r"other\.parquet: no conversations in it"):
        gathered(tmp_path, str(tmp_path / "other.parquet"))


def test_a_data_set_is_streamed_through_datasets(tmp_path: Path):
    folder = tmp_path / "set"
    a_table(folder / "data" / "train-00000-of-00001.parquet", "a", "b", reward=1.0)
    rows, _ = gathered(tmp_path, {"at": f"hf://{folder}", "name": "hub"})
    assert rows["id"].to_list() == ["a/0", "b/0"] and set(rows["origin"]) == {"hub"}
    assert json.loads(rows["messages"][0][0]) == SAID[0] and rows["reward"].to_list() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["runs/zero", "old/zero"], "two sources are called 'zero'"),
        (["hf://"], "names no run, file or data set"),
        (["a b"], "'a b' cannot be the name of a source"),
        ([{"at": "x", "revision": "1"}], "are for data sets of the hub"),
    ],
)
def test_sources_that_cannot_be_are_refused(sources, message):
    with pytest.raises(ValidationError, match=message):
        Gather(sources=sources)


def test_sources_that_are_not_there_are_said_with_their_line(tmp_path: Path):
    file = tmp_path / "g.yaml"
    (tmp_path / "empty").mkdir()
    file.write_text(f"name: g\nstages:\n  - use: gather\n    sources: [nowhere, {tmp_path}/empty]\n")
    with pytest.raises(ConfigError) as error:
        load(file)
    assert "g.yaml:3: stages[0]: sources[0]: nowhere: no such file or folder, and no run under runs/" in str(
        error.value
    )
    assert "sources[1]: " in str(error.value) and "no Parquet file" in str(error.value)


async def test_a_pipeline_begins_with_what_exists_and_a_changed_source_makes_it_anew(tmp_path: Path):
    await _run(tmp_path / "zero", 3)
    file = tmp_path / "g.yaml"
    phases = "[{use: mixed, where: {origin: zero}}, {use: mixed, where: {origin: more}, rows: 4}]"
    file.write_text(
        f"name: g\nstages:\n  - {{use: gather, sources: [{tmp_path}/zero, {tmp_path}/more.parquet]}}\n"
        f"  - {{use: select, filters: [length]}}\n  - {{use: arrange, curriculum: {{use: staged, phases: {phases}}}}}\n"
    )
    a_table(tmp_path / "more.parquet", "a", "b", n_turns=1, n_chars=9)
    pipeline = load(file)
    execution = Execution(pipeline, tmp_path / "runs" / "g")
    await execution.run()
    assert execution.complete
    arranged = tmp_path / "runs" / "g" / pipeline.stages[2].folder / "records.parquet"
    assert [example(row).phase for row in read_rows(arranged)] == [0, 0, 0, 1, 1, 1, 1]
    table = scan(arranged).collect()
    assert table["phase"].to_list() == [0, 0, 0, 1, 1, 1, 1] and table["rank"].to_list() == list(range(7))
    funnel = count(open_run(tmp_path / "runs" / "g"))
    assert (funnel.total("made"), funnel.total("tried"), funnel.total("kept")) == (None, 5, 5)
    assert [source["name"] for source in funnel.stages[0].gathered] == ["zero", "more"]
    assert funnel.judged == funnel.total("solved") == 3 and funnel.stops["submitted"] == 3
    with pytest.raises(DataError, match="g begins with gather, and has its attempts in a table alone"):
        export(str(tmp_path / "runs" / "g"), tmp_path / "to", "atif", tmp_path, solved=False, kept=False, as_json=True)
    a_table(tmp_path / "more.parquet", "a", "c", n_turns=1)
    assert load(file).stages[0].digest != pipeline.stages[0].digest


def test_gather_is_built_from_text_and_mappings():
    problems: list[Any] = []
    assert build("stage", {"use": "gather", "sources": ["a", {"at": "b", "nme": "c"}]}, (), problems) is None
    assert [str(problem) for problem in problems] == ["sources[1].nme: unknown key; did you mean 'name'?"]
