"""`datafactory select` and `mixture`: what filters and curricula would do to a finished run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from datafactory.cli.changes import reasons
from datafactory.cli.mixing import mixture
from datafactory.cli.selecting import select
from datafactory.errors import ConfigError, DataError
from datafactory.table import scan

Said = dict[str, Any]


@pytest.fixture
def tried(runs: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """What `datafactory select demo --json` says; the run kept 4 of 6 attempts, by the filter `solved`."""

    def work(text: str | None = None, **more: Any) -> Said:
        options = {"file": None, "baseline": None, "to": None, "dry_run": "to" not in more, **more}
        select("demo", runs, text=text, as_json=True, **options)
        made: Said = json.loads(capsys.readouterr().out)
        return made

    return work


@pytest.fixture
def mixed(runs: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """What `datafactory mixture demo --json` says."""

    def work(file: Path | None = None, seed: int | None = None) -> Said:
        mixture("demo", runs, file=file, seed=seed, as_json=True)
        made: Said = json.loads(capsys.readouterr().out)
        return made

    return work


def test_the_runs_own_filters_change_nothing(tried):
    said = tried("[solved]")
    assert said["rows"] == 6 and said["kept"] == 4 and "3-verify" in said["from"]
    assert said["against"] == "select of demo"
    assert (said["changes"]["in"]["rows"], said["changes"]["out"]["rows"]) == (0, 0)


def test_rows_come_in_and_go_out_by_reason(tried):
    said = tried("[{use: solved, min_reward: 0.25}, {use: length, max_turns: 1}]")
    assert [(step["filter"], step["seen"], step["dropped"]) for step in said["funnel"]] == [
        ("solved", 6, 1),
        ("length", 5, 5),
    ]
    assert said["changes"]["out"]["reasons"][0]["rows"] == 4
    assert said["changes"]["out"]["reasons"][0]["reason"] == "length: 2 turns > 1"
    assert said["changes"]["dropped_by_another"] == 1
    loose = tried("[{use: solved, min_reward: 0.25}]")
    (came,) = loose["changes"]["in"]["reasons"]
    assert came == {
        "kind": "solved: reward # < #",
        "rows": 1,
        "reason": "solved: reward 0.25 < 1.0",
        "ids": ["alpha-00000/1"],
    }


def test_what_the_rows_are_made_of_is_counted_on_both_sides(tried):
    said = tried("[{use: solved, min_reward: 0}]")
    parts = {(one["by"], one["value"]): (one["before"]["rows"], one["after"]["rows"]) for one in said["composition"]}
    assert parts[("all", None)] == (4, 6)
    assert parts[("generator", "alpha")] == (3, 4) and parts[("generator", "beta")] == (1, 2)
    assert parts[("solved", True)] == (4, 4) and parts[("solved", False)] == (0, 2)


def test_two_sets_of_filters_are_compared(tried, tmp_path: Path):
    (tmp_path / "old.yaml").write_text("filters: [{use: length, max_turns: 1}]\n")
    (tmp_path / "new.yaml").write_text(
        "name: x\nstages: [{use: select, filters: [solved]}, {use: select, filters: [format]}]\n"
    )
    said = tried(file=tmp_path / "new.yaml", baseline=tmp_path / "old.yaml")
    assert [step["filter"] for step in said["funnel"]] == ["solved", "format"]
    assert said["changes"]["before"] == 0 and said["changes"]["in"]["rows"] == 4


def test_what_is_kept_is_written_with_the_rejects_and_gather_takes_it(tried, tmp_path: Path, capsys, runs):
    said = tried("[solved]", to=tmp_path / "kept")
    assert scan(tmp_path / "kept" / "records.parquet").collect().height == said["kept"]
    assert set(pl.read_parquet(tmp_path / "kept" / "rejects.parquet", columns=["filter"])["filter"]) == {"solved"}
    with pytest.raises(ConfigError, match="is not an empty folder"):
        tried("[solved]", to=tmp_path / "kept")
    from datafactory.stages.gather import Gather

    assert Gather(sources=(str(tmp_path / "kept"),)).expected(None) == 4


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        (None, {}, "name the filters to try"),
        ("[solvd]", {}, r"--filters:1: \[0\]\.use: unknown filter 'solvd'; did you mean 'solved'"),
        ("[{use: length, max_turns: no}]", {}, "--filters:1: .*max_turns: must be"),
        ("name: x", {}, "no filters: it has neither `filters` nor a stage `select`"),
        ("[solved]", {"dry_run": False}, "either --dry-run"),
    ],
)
def test_a_mistake_is_said_with_its_place(tried, text, more, message):
    with pytest.raises(ConfigError, match=message):
        tried(text, **more)


def test_a_filter_that_fails_without_rows_is_said_before_any_are_read(tried, tmp_path, monkeypatch):
    (tmp_path / "bad_filters.py").write_text(
        "import polars as pl\nfrom datafactory.spec import Spec\n\n\n"
        "class Bad(Spec):\n    def reject(self, rows):\n        return pl.col('nowhere')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"--filters: Bad.*nowhere"):
        tried('["bad_filters:Bad"]')


def test_reasons_that_differ_in_numbers_are_of_one_kind():
    rows = pl.DataFrame({"id": ["a", "b", "c"], "why": ["x: 3 > 2", "x: 4.5 > 2", "y: no"]})
    assert [(kind["rows"], kind["reason"]) for kind in reasons(rows, "why")] == [(2, "x: 3 > 2"), (1, "y: no")]


def test_the_plan_of_a_mixture_counts_by_phase_and_says_what_each_rule_leaves(mixed, tmp_path: Path):
    (tmp_path / "c.yaml").write_text(
        "curriculum:\n  use: staged\n  phases:\n    - {use: mixed, where: {generator: alpha}, max_per_task: 1}\n"
        "    - {use: mixed, domains: {software_engineering: 2}}\n"
    )
    said = mixed(tmp_path / "c.yaml")
    assert "4-select" in said["from"]
    assert [(rule["phase"], rule["rule"], rule["rows"]) for rule in said["rules"]] == [
        (0, "where generator alpha", 3),
        (0, "max_per_task 1", 2),
        (1, "weights", 8),
    ]
    parts = {(one["by"], one["value"]): one for one in said["parts"]}
    assert parts[("all", None)]["before"]["rows"] == 4 and parts[("all", None)]["after"]["rows"] == 10
    assert parts[("all", None)]["repeats"] == 3
    assert parts[("phase", 0)]["after"]["rows"] == 2 and parts[("phase", 1)]["after"]["rows"] == 8
    assert parts[("generator", "beta")]["after"]["rows"] == 2


def test_a_run_without_a_recipe_needs_a_curriculum(mixed, tmp_path: Path):
    with pytest.raises(ConfigError, match="demo has no stage arrange; name a curriculum: --with FILE"):
        mixed()
    (tmp_path / "c.yaml").write_text("curriculum: {use: mixd}\n")
    with pytest.raises(
        ConfigError, match=r"c\.yaml:1: curriculum\.use: unknown curriculum 'mixd'; did you mean 'mixed'"
    ):
        mixed(tmp_path / "c.yaml")


async def test_a_run_without_judged_attempts_has_nothing_to_try(maker: Any):
    await maker.synthesize([maker.task("alpha-00000", "alpha")])
    with pytest.raises(DataError, match="no complete stage before select leaves attempts"):
        select(
            str(maker.path),
            maker.path.parent,
            file=None,
            text="[solved]",
            baseline=None,
            to=None,
            dry_run=True,
            as_json=True,
        )


def test_people_read_it_within_eighty_columns(call: Callable[..., Any], runs: Path):
    done = call("select", "demo", "--runs", runs, "--filters", "[{use: solved, min_reward: 0.25}]", "--dry-run")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if str(runs) not in line]
    assert max(map(len, lines)) <= 80
    for words in ("kept", "1 come in, which were dropped for", "alpha-00000/1: solved: reward 0.25 < 1.0", "4 > 5"):
        assert words in done.stdout
