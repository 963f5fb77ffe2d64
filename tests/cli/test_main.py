"""The command itself: help, version, exit codes and how fast it answers."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

Call = Callable[..., Any]

COMMANDS = ("run", "plan", "show", "replay", "export", "explain", "doctor", "images")
HEAVY = ("polars", "datasets", "docker", "torch", "aiohttp", "trl", "pydantic", "rich.live", "orjson")


def test_help_names_every_command_and_fits_eighty_columns(call: Call) -> None:
    said = call("--help").stdout
    assert all(f" {command} " in said for command in COMMANDS)
    assert max(map(len, said.splitlines())) <= 80


def test_help_costs_less_than_three_tenths_of_a_second() -> None:
    """Processor time, the least of several: on a machine that has nothing else to do this is the time that it takes."""
    costs = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "datafactory", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < 0.3, costs


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, datafactory.cli; print(' '.join(sorted(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in HEAVY if name in loaded] == []


@pytest.mark.parametrize("module", ["datafactory", "datafactory.cli"])
def test_the_package_runs_as_a_module(module: str) -> None:
    said = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("datafactory ")


def test_a_mistake_in_the_command_is_exit_code_2(call: Call) -> None:
    assert call("shwo").returncode == 2
    assert call("show").returncode == 2
    assert call("run", "missing.yaml").returncode in (1, 2)


def test_a_reader_that_has_gone_is_no_traceback() -> None:
    """`datafactory explain | head -n 1`."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run([sys.executable, "-m", "datafactory", "explain"], stdout=gone, stderr=subprocess.PIPE)
    assert b"Traceback" not in done.stderr
    assert done.returncode != 0


def test_an_unknown_image_is_named_before_anything_is_built(call: Call) -> None:
    done = call("images", "build", "bsae")
    assert done.returncode == 2
    assert "did you mean 'base'?" in done.stderr
    assert call("images", "build", "base", "--how", "magic").returncode == 2


def test_text_that_the_encoding_lacks_is_no_error(call: Call, runs: Any) -> None:
    done = call("show", "demo", "beta-00000/0", "--runs", runs, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
