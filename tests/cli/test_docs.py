"""The pages on the command line and on the pipeline file say what is so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datafactory.cli import exits
from datafactory.formats import FORMATS
from datafactory.stages import TABLE

Call = Callable[..., Any]

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language; empty: none named."""
    text = (DOCS / page).read_text()
    return [body for named, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S) if named == language]


def test_the_mistakes_that_the_page_shows_are_those_that_are_said(call: Call, tmp_path: Path) -> None:
    broken = next(block for block in blocks("pipeline-file.md", "yaml") if "temprature" in block)
    shown = next(block for block in blocks("pipeline-file.md", "") if "temprature" in block)
    (tmp_path / "bad.yaml").write_text(broken)
    done = call("plan", "bad.yaml")
    assert done.returncode == 2
    assert shown.splitlines()[1:] == done.stderr.splitlines(), "plan bad.yaml says it otherwise now"


def test_the_pages_own_component_is_one(call: Call, tmp_path: Path) -> None:
    (tmp_path / "my_filters.py").write_text(blocks("pipeline-file.md", "python")[0])
    done = call("explain", "filter", "my_filters:NoCurl")
    assert done.returncode == 0, done.stderr
    assert "What may not be said." in done.stdout


def test_every_command_the_page_shows_parses(call: Call) -> None:
    text = (DOCS / "cli.md").read_text()
    commands = set(re.findall(r"^(?:\$ )?datafactory ([a-z]+)", text, re.M))
    assert commands == {
        "run",
        "plan",
        "show",
        "report",
        "judges",
        "scores",
        "select",
        "mixture",
        "replay",
        "export",
        "explain",
        "doctor",
        "images",
        "layers",
        "fsck",
        "serve",
        "corpora",
        "schedule",
    }
    for command in commands:
        assert call(command, "--help").returncode == 0


@pytest.mark.parametrize("name", ["DONE", "FAILED", "MISTAKE", "LOST", "FUSE", "MISSING", "CAPPED", "STOPPED"])
def test_every_exit_code_is_on_the_page(name: str) -> None:
    assert f"\n| {getattr(exits, name)} |" in (DOCS / "cli.md").read_text()


def test_every_format_and_every_stage_is_on_its_page() -> None:
    assert [name for name in FORMATS if f"| `{name}` |" not in (DOCS / "cli.md").read_text()] == []
    assert [name for name in TABLE if f"| `{name}` |" not in (DOCS / "pipeline-file.md").read_text()] == []


@pytest.mark.namespace
def test_the_pages_own_generator_makes_sound_tasks(call: Call, tmp_path: Path) -> None:
    (tmp_path / "my_generators.py").write_text(blocks("generators.md", "python")[-1])
    stage = '{use: synthesize, tries: 1, generators: [{use: "my_generators:Powers", count: 2}]}'
    (tmp_path / "own.yaml").write_text(f"name: own\nstages: [{stage}]\n")
    done = call("run", "own.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stages"][0]["kept"] == 2
