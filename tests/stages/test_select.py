"""Filters of the user's own: what is wrong with one is said before the run, and by its name."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from datafactory.errors import ConfigError
from datafactory.pipeline import load

PIPELINE = """
name: own
teacher: oracle
stages:
  - {{use: synthesize, generators: [{{use: terminal_skills, count: 2}}]}}
  - {{use: rollout, attempts: 1}}
  - verify
  - {{use: select, filters: ["{module}:Own"]}}
"""
FILTER = """
import polars as pl
from datafactory.spec import Spec

class Own(Spec):
    def reject(self, rows):
        return {expression}
"""


def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expression: str, module: str) -> str:
    """Load a pipeline with one filter of the user's own, and say what the select stage's folder is called."""
    (tmp_path / f"{module}.py").write_text(FILTER.format(expression=expression))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    file = tmp_path / "own.yaml"
    file.write_text(PIPELINE.format(module=module))
    return load(file).stages[-1].folder


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("pl.col('n_turns') > 3", r"must give a column of text .* not Boolean"),
        ("pl.col('n_turnips')", r"n_turnips"),
        ("1 / 0", r"ZeroDivisionError"),
        ("None", r"AttributeError"),
    ],
)
def test_a_filter_that_cannot_work_is_said_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expression: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=rf"own\.yaml:8: stages\[3\].*Own.*{said}"):
        loaded(tmp_path, monkeypatch, expression, f"mine_{abs(hash(expression)) % 10**8}")


def test_a_filter_that_never_rejects_may_give_nulls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(tmp_path, monkeypatch, "pl.lit(None)", "mine_null").startswith("4-select-")


def test_changed_code_of_a_filter_makes_another_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = loaded(tmp_path, monkeypatch, "pl.lit(None, pl.String)", "mine_code")
    assert loaded(tmp_path, monkeypatch, "pl.lit(None, pl.String)", "mine_code") == first
    assert loaded(tmp_path, monkeypatch, "pl.lit('no')", "mine_code") != first
