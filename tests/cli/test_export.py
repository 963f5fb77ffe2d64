"""`datafactory export`: attempts with their tasks, streamed into other tools' formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from datafactory.formats import FORMATS, OF_PIVOTS, OF_QUESTIONS, OF_SWE, OF_TASKS
from tests.cli.asked import a_question, a_search

Call = Callable[..., Any]


@pytest.mark.parametrize("format", sorted(set(FORMATS) - {*OF_SWE, *OF_QUESTIONS, *OF_PIVOTS}))
def test_every_format_is_written_and_counted(call: Call, runs: Path, tmp_path: Path, format: str) -> None:
    done = call("export", "demo", tmp_path / "out", "--format", format, "--runs", runs, "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["records"] == (3 if format == "harbor" else 6)
    assert any(path.is_file() for path in (tmp_path / "out").rglob("*"))


@pytest.mark.parametrize("format", OF_SWE)
def test_a_run_without_swe_tasks_cannot_be_written_as_such(call: Call, runs: Path, tmp_path: Path, format: str) -> None:
    done = call("export", "demo", tmp_path / "out", "--format", format, "--runs", runs)
    assert done.returncode == 1
    assert "SWE task" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("format", OF_PIVOTS)
def test_a_run_without_pivots_cannot_be_written_as_such(call: Call, runs: Path, tmp_path: Path, format: str) -> None:
    done = call("export", "demo", tmp_path / "out", "--format", format, "--runs", runs)
    assert (done.returncode, "has no pivots; they are made by the stage pivot" in done.stderr) == (1, True)
    mixed = call("export", "demo", tmp_path / "other", "--format", format, "--runs", runs, "--solved")
    assert (mixed.returncode, "leave out --solved and --kept" in mixed.stderr) == (2, True)


@pytest.mark.parametrize("format", OF_QUESTIONS)
def test_a_run_without_questions_cannot_be_written_as_such(call: Call, runs: Path, tmp_path: Path, format: str) -> None:
    done = call("export", "demo", tmp_path / "out", "--format", format, "--runs", runs)
    assert done.returncode == 1
    assert "there is no" in done.stderr
    assert "question" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


async def test_no_format_drops_a_question_in_silence(call: Call, maker: Any) -> None:
    plain = maker.task("alpha-00000", "alpha")
    await maker.synthesize([plain, asked := a_question("search_paths-00000")])
    await maker.attempts(2, [maker.attempt(plain, 0, None), a_search(asked, "1815"), a_search(asked, None, 1)])
    for format in ("atif", "conversations", "harbor", *OF_QUESTIONS):
        done = call("export", maker.path, format, "--format", format, "--json")
        assert done.returncode == 0, done.stderr
        made, given = json.loads(done.stdout), 2 if format in OF_TASKS else 3
        assert made["records"] + made["left_out"] == given
        assert made["left_out"] == (1 if format in ("harbor", *OF_QUESTIONS) else 0)


async def test_a_run_of_questions_alone_has_nothing_for_harbor(call: Call, maker: Any) -> None:
    await maker.synthesize([a_question("search_paths-00000")])
    done = call("export", maker.path, "out", "--format", "harbor")
    assert done.returncode == 1
    assert "questions are answered from a corpus, without a box" in done.stderr


@pytest.mark.parametrize("format", OF_SWE)
async def test_of_a_mixed_run_the_swe_tasks_are_written_and_the_rest_is_counted(
    call: Call, maker: Any, format: str
) -> None:
    plain = maker.task("alpha-00000", "alpha")
    facts = {"instance_id": "o__n.12345678.op__ab", "repo": "o__n", "patch": "--- a/x\n+++ b/x\n"}
    swe = plain.but(id="swe-00000", source=plain.source.but(facts=facts))
    await maker.synthesize([plain, swe])
    await maker.attempts(2, [maker.attempt(plain, 0, None), maker.attempt(swe, 0, None), maker.attempt(swe, 1, None)])
    done = call("export", maker.path, "out", "--format", format, "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["records"], made["left_out"]) == ((1, 1) if format.startswith("swe-") else (2, 1))
    told = call("export", maker.path, "again", "--format", format).stdout
    assert "(1 left out: not of this format)" in told


def test_messages_are_parquet_with_the_verdicts(call: Call, runs: Path, tmp_path: Path) -> None:
    done = call("export", "demo", tmp_path / "out", "--runs", runs)
    assert done.returncode == 0, done.stderr
    assert "6 attempts of demo as messages" in done.stdout
    rows = pl.read_parquet(tmp_path / "out" / "**" / "*.parquet")
    assert sorted(rows["reward"].to_list()) == [0.0, 0.25, 1.0, 1.0, 1.0, 1.0]


def test_solved_leaves_the_others_out(call: Call, runs: Path, tmp_path: Path) -> None:
    done = call("export", "demo", tmp_path / "out", "--solved", "--runs", runs)
    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(tmp_path / "out" / "**" / "*.parquet")["reward"].to_list() == [1.0] * 4


def test_a_folder_that_is_not_empty_is_left_alone(call: Call, runs: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    done = call("export", "demo", tmp_path / "out", "--runs", runs)
    assert done.returncode == 2
    assert "not an empty folder" in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_an_unknown_format_gets_a_suggestion(call: Call, runs: Path, tmp_path: Path) -> None:
    done = call("export", "demo", tmp_path / "out", "--format", "harbour", "--runs", runs)
    assert done.returncode == 2
    assert "did you mean 'harbor'?" in done.stderr
    assert not (tmp_path / "out").exists()


async def test_attempts_that_are_not_judged_cannot_be_asked_for_solved_ones(call: Call, maker: Any) -> None:
    task = maker.task("alpha-00000", "alpha")
    await maker.synthesize([task])
    await maker.attempts(2, [maker.attempt(task, 0, None)])
    done = call("export", maker.path, "out", "--solved")
    assert done.returncode == 2
    assert "not judged" in done.stderr
    assert call("export", maker.path, "out").returncode == 0


async def test_a_run_without_attempts_says_so(call: Call, maker: Any) -> None:
    await maker.synthesize([maker.task("alpha-00000", "alpha")])
    done = call("export", maker.path, "out")
    assert done.returncode == 1
    assert "no attempts yet" in done.stderr
    assert not (maker.path.parent / "out").exists()


async def test_tasks_alone_can_be_exported_to_harbor(call: Call, maker: Any) -> None:
    await maker.synthesize([maker.task("alpha-00000", "alpha")])
    done = call("export", maker.path, "out", "--format", "harbor")
    assert done.returncode == 0, done.stderr
    assert (maker.path.parent / "out" / "alpha-00000" / "task.toml").is_file()


def test_solved_tasks_alone_go_to_harbor(call: Call, runs: Path, tmp_path: Path) -> None:
    from datafactory.formats.harbor import read_task

    done = call("export", "demo", tmp_path / "out", "--format", "harbor", "--solved", "--runs", runs)
    assert done.returncode == 0, done.stderr
    assert "3 tasks of demo" in done.stdout
    task = read_task(tmp_path / "out" / "alpha-00001")
    assert task.image == "base"
    assert "FROM datafactory/base:" in (tmp_path / "out" / "alpha-00001" / "environment" / "Dockerfile").read_text()
