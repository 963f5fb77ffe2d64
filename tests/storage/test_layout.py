"""Run folders: found by name or path, held by one run at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from datafactory.errors import DataError, RunError, StorageError
from datafactory.storage import open_run
from datafactory.storage.layout import locked, write_run

ROW = {"name": "shells", "seed": 3, "pipeline": {}, "stages": [{"use": "synthesize", "folder": "1-synthesize-ab"}]}


def test_a_run_is_found_by_name_and_by_folder(tmp_path: Path) -> None:
    write_run(tmp_path / "shells", ROW)
    for run in (open_run("shells", tmp_path), open_run(tmp_path / "shells")):
        assert (run.name, run.seed) == ("shells", 3)
        assert [(s.number, s.name, s.count(), s.manifest) for s in run.stages] == [(1, "synthesize", 0, None)]


def test_an_unknown_run_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there are none under"):
        open_run("nothing", tmp_path)
    write_run(tmp_path / "shells", ROW)
    with pytest.raises(DataError, match="no run 'shell'; there are: shells"):
        open_run("shell", tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"name": "x", "seed": 1, "pipeline": {}, "stages": [{}]}'])
def test_a_broken_run_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(DataError, match=r"run\.json: not a run's file"):
        open_run(tmp_path)


def test_a_second_process_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from datafactory.storage.layout import locked
with locked(Path({str(tmp_path)!r})):
    print("held")
"""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with locked(tmp_path):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
        assert done.returncode == 1
        assert f"in use by another run (process {os.getpid()})" in done.stderr
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.stdout == "held\n"


def test_the_folder_is_free_after_a_run_that_failed(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="mine"), locked(tmp_path):
        raise RunError("mine")
    with locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file/run"), locked(tmp_path / "file" / "run"):
        pass
