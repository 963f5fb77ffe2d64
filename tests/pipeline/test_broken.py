"""Broken pipeline files: each says what is wrong, where, and the way out, before anything runs.

`broken/messages.txt` holds what is said, line by line, as a user reads it; `...` stands for a list of names.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pytest

from datafactory.errors import ConfigError, DataError
from datafactory.pipeline import load
from datafactory.pipeline.document import BYTES

BROKEN = Path(__file__).with_name("broken")
FILES = sorted(path.name for path in BROKEN.glob("*.yaml"))
ALL_AT_ONCE = "many_mistakes.yaml"


def messages() -> dict[str, list[str]]:
    said: dict[str, list[str]] = defaultdict(list)
    for line in (BROKEN / "messages.txt").read_text().splitlines():
        said[line.partition(".yaml")[0] + ".yaml"].append(line)
    return said


def same(said: str, wanted: str) -> bool:
    return said.startswith(wanted[:-3]) if wanted.endswith("...") else said == wanted


def test_there_are_sixty_broken_files_and_each_has_its_message() -> None:
    assert len(FILES) >= 60
    assert sorted(messages()) == FILES
    assert {name: len(lines) for name, lines in messages().items() if len(lines) != 1} == {ALL_AT_ONCE: 10}


@pytest.fixture
def unparsable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unparsable.py").write_text("def broken(:\n")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_says_so(name: str, workshop: ModuleType, unparsable: None) -> None:
    with pytest.raises(ConfigError) as caught:
        load(BROKEN / name)
    said = [problem.replace(f"{BROKEN}/", "") for problem in caught.value.problems]
    wanted = messages()[name]
    assert len(said) == len(wanted), said
    for one, other in zip(said, wanted, strict=True):
        assert same(one, other), f"\n   said: {one}\n wanted: {other}"


def test_the_command_says_every_mistake_and_exits_with_2(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from datafactory.cli import main; main()", "run"]
    env = {**os.environ, "PYTHONPATH": str(BROKEN.parents[2])}
    command += [str(BROKEN / ALL_AT_ONCE), "--runs", str(tmp_path / "runs")]
    done = subprocess.run(command, cwd=BROKEN.parents[2], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 2
    said = [line.removeprefix("error: ").replace(f"{BROKEN}/", "") for line in done.stderr.splitlines()]
    assert said[-1] == "10 mistakes; nothing was run."
    assert all(same(one, other) for one, other in zip(said[:-1], messages()[ALL_AT_ONCE], strict=True))
    assert not (tmp_path / "runs").exists()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.yaml: cannot be read \(No such file"):
        load(tmp_path / "none.yaml")


def test_a_folder_is_no_pipeline_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory"):
        load(tmp_path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"# " + b"x" * BYTES)
    with pytest.raises(ConfigError, match=r"large\.yaml: 1,048,578 bytes is too large"):
        load(path)


def test_an_input_that_goes_away_is_named(tmp_path: Path, workshop: ModuleType) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("name: x\nstages: [{use: 'workshop:Count', words: gone.txt}]\n")
    with pytest.raises(DataError, match=r"gone\.txt: cannot be read \(No such file"):
        load(path)
