"""The manners of the house: short files that say what they are, names that mean something, and a light front door."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from datafactory.registry import KINDS, find, table

ROOT = Path(__file__).parents[1]
ROOMS = ("datafactory", "generators", "sandboxes", "filters", "sft", "tests", "benchmarks")
DATA = ROOT / "tests" / "data"
"""Tasks as others wrote them."""
FILES = sorted(
    path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py") if not path.is_relative_to(DATA)
)
LINES = 300
EMPTY_NAMES = {"utils", "util", "common", "base", "manager", "handler", "helper", "helpers", "misc"}
HEAVY = ("polars", "pyarrow", "torch", "docker", "datasets", "aiohttp", "transformers", "trl", "pydantic", "yaml")


def test_the_rooms_are_found() -> None:
    assert len(FILES) > 60
    assert {path.parts[0] for path in FILES} == set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_is_short_and_starts_with_a_sentence_that_says_what_it_is(path: Path) -> None:
    text = (ROOT / path).read_text()
    assert text.count("\n") < LINES, "too long: make two files of it"
    said = ast.get_docstring(ast.parse(text))
    assert said, "no docstring"
    first = said.split("\n\n")[0].replace("\n", " ")
    assert first.endswith((".", ":", "?")), f"its docstring starts with no sentence: {first!r}"


def test_no_file_has_a_name_that_says_nothing() -> None:
    words = {path: {path.stem, *path.stem.split("_")} for path in FILES}
    assert [str(path) for path, parts in words.items() if parts & EMPTY_NAMES] == []


def test_only_the_boundary_catches_every_exception() -> None:
    broad = []
    for path in FILES:
        if path.parts[0] in ("tests", "benchmarks"):
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception")
            ):
                broad.append(str(path))
    assert broad == ["datafactory/errors.py"]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from datafactory.cli import main\n"
        "sys.argv = ['datafactory', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('HEAVY', sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    assert done.stdout.splitlines()[-1] == "HEAVY []"


def test_a_component_knows_the_name_that_its_room_gives_it() -> None:
    for kind in KINDS:
        for name in table(kind):
            assert find(kind, name).use_name == name, f"{kind} {name}: recipes and funnels would call it otherwise"
