"""The stage `cluster`: topics of planted prompts, whatever the order of rows, named by words or by a teacher."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from datafactory.calls import Account, Ledger
from datafactory.errors import RunError
from datafactory.registry import build
from datafactory.run import Run
from datafactory.stages.cluster import TOPICS, Cluster
from datafactory.storage import TABLE, Shelf, rows
from datafactory.table import row, write_parquet
from datafactory.types import Trajectory
from tests.judging.attempts import a_task, an_attempt
from tests.topics.planted import SUBJECTS, tasks


def a_stage(**keys: Any) -> Cluster:
    problems: list[Any] = []
    made = build("stage", {"use": "cluster", **keys}, (), problems)
    assert isinstance(made, Cluster), problems
    return made


def a_table(folder: Path, *, attempts: int = 1, shuffled: bool = False) -> Path:
    """A sealed shelf of attempts at the planted tasks."""
    made = [
        row(an_attempt(id=id, attempt=number), a_task(id).but(prompt=prompt))
        for id, prompt in tasks().items()
        for number in range(attempts)
    ]
    if shuffled:
        random.Random(1).shuffle(made)
    write_parquet(made, folder / TABLE, key=None)
    (folder / "manifest.json").write_text(json.dumps({"kept": len(made), "rejected": {}}))
    return folder


async def clustered(source: Path, to: Path, stage: Cluster, account: Account | None = None) -> pl.DataFrame:
    async with Shelf(source, Trajectory) as before, Shelf(to, Trajectory) as shelf:
        run = Run(shelf, name="r", seed=7, account=account, tries=1)
        await stage.run(before, run)
        made = pl.read_parquet(to / TABLE)
        assert shelf.kept == made.height == run.progress.finished
        return made


def topics_of(table: pl.DataFrame) -> dict[str, tuple[int, str]]:
    return {id: (cluster, topic) for id, cluster, topic in table.select("task_id", "cluster", "topic").iter_rows()}


async def test_planted_subjects_become_topics_and_the_rows_stay_as_they_are(tmp_path: Path) -> None:
    source = a_table(tmp_path / "a", attempts=2)
    made = await clustered(source, tmp_path / "b", a_stage())
    before = pl.read_parquet(source / TABLE)
    assert made.columns == before.columns
    assert made.drop("cluster", "topic").equals(before.drop("cluster", "topic"))
    for subject, words in SUBJECTS.items():
        [(number, name)] = {found for id, found in topics_of(made).items() if id.startswith(subject)}
        assert number >= 0
        assert set(name.split(", ")) <= set(words.split())
    assert {found for id, found in topics_of(made).items() if id.startswith("odd")} == {(-1, "none")}
    listed = list(rows(tmp_path / "b" / TOPICS))
    assert [topic["tasks"] for topic in listed] == [15] * 4
    assert all(topic["nearest"][0].partition("-")[0] in SUBJECTS for topic in listed)


async def test_neither_the_order_of_rows_nor_a_second_run_moves_a_topic(tmp_path: Path) -> None:
    plain = await clustered(a_table(tmp_path / "a"), tmp_path / "b", a_stage())
    mixed = await clustered(a_table(tmp_path / "c", attempts=2, shuffled=True), tmp_path / "d", a_stage())
    assert topics_of(plain) == topics_of(mixed)


async def test_vectors_are_kept_beside_the_shelf_and_used_again(tmp_path: Path) -> None:
    source = a_table(tmp_path / "a")
    first = await clustered(source, tmp_path / "b", a_stage())
    [kept] = source.glob("vectors-*.npy")
    stamp = kept.stat().st_mtime_ns
    again = await clustered(source, tmp_path / "c", a_stage(min_topic_size=10))
    assert topics_of(first) == topics_of(again)
    assert kept.stat().st_mtime_ns == stamp
    await clustered(source, tmp_path / "d", a_stage(embedder={"use": "tfidf", "dims": 16}))
    assert len(list(source.glob("vectors-*.npy"))) == 2


async def test_prompts_of_words_that_nobody_else_uses_are_near_no_topic(tmp_path: Path) -> None:
    made = await clustered(a_table(tmp_path / "a"), tmp_path / "b", a_stage(reduce_outliers=True))
    assert {id for id, (number, _) in topics_of(made).items() if number < 0} == {f"odd-{n:03d}" for n in range(4)}


async def test_a_table_without_rows_stays_one(tmp_path: Path) -> None:
    write_parquet((), tmp_path / "a" / TABLE)
    (tmp_path / "a" / "manifest.json").write_text(json.dumps({"kept": 0, "rejected": {}}))
    made = await clustered(tmp_path / "a", tmp_path / "b", a_stage())
    assert made.height == 0


def names(path: Path, *answers: str) -> dict[str, Any]:
    path.write_text(json.dumps({"replies": list(answers)}))
    return {"use": "tests.stages.odd_judges:Dear", "path": str(path)}


async def test_a_teacher_names_topics_once_and_words_stand_in_for_bad_names(tmp_path: Path) -> None:
    said = [
        json.dumps({"name": name}) for name in ("Stars and planets", "Home cooking", "a name of far too many words")
    ]
    teacher = names(tmp_path / "names.jsonl", *said, said[2], '{"name": "Boats"}')
    stage = a_stage(teacher=teacher, at_once=1)
    source, found = a_table(tmp_path / "a"), []
    for number in range(2):
        async with Ledger(tmp_path / "calls.sqlite") as ledger:
            account = Account(ledger)
            made = await clustered(source, tmp_path / f"b{number}", stage, account)
            found.append((account.spent.calls, account.found))
        (tmp_path / "names.jsonl").write_text(json.dumps({"replies": ["nobody should ask"]}))
        named = {topic for _, topic in topics_of(made).values()}
        assert {"Stars and planets", "Home cooking", "Boats", "none"} < named
        assert len(named) == 5
    assert found == [(5, 0), (5, 5)]


async def test_a_teacher_that_fails_is_no_name_and_the_next_run_goes_on(tmp_path: Path) -> None:
    source, path = a_table(tmp_path / "a"), tmp_path / "names.jsonl"
    stage = a_stage(teacher=names(path, '{"name": "One"}'))
    with pytest.raises(RunError, match=r"3 of 4 topics could not be named: .*ran out of replies"):
        await clustered(source, tmp_path / "b", stage)
    assert not (tmp_path / "b" / TABLE).exists()
    names(path, *(json.dumps({"name": name}) for name in ("Two", "Three", "Four")))
    made = await clustered(source, tmp_path / "b", stage)
    assert {topic for _, topic in topics_of(made).values()} == {"One", "Two", "Three", "Four", "none"}


def test_a_number_of_topics_is_for_k_means_alone() -> None:
    problems: list[Any] = []
    assert build("stage", {"use": "cluster", "topics": 5}, (), problems) is None
    assert "`topics` is for `method: kmeans`" in str(problems[0])
    assert a_stage(topics=5, method="kmeans").topics == 5
