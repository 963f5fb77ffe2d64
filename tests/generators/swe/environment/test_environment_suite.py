"""Tests are found where people keep them, and run without what measures, spreads or shuffles them."""

from __future__ import annotations

import pytest

from datafactory.types import files
from generators.swe.environment.suite import find_suite, usable
from generators.swe.environment.suite import test_files as belonging

T = "def test_it(): pass\n"


@pytest.mark.parametrize(
    ("contents", "paths"),
    [
        ({"tests/test_a.py": T, "tiny/core.py": ""}, ["tests"]),
        ({"test/a_test.py": T, "test_stray.py": T}, ["test"]),
        ({"tiny/tests/test_a.py": T, "tests/unit/test_b.py": T}, ["tests", "tiny/tests"]),
        ({"test_a.py": T, "tiny/test_b.py": T}, ["test_a.py", "tiny/test_b.py"]),
        ({"docs/tests/test_a.py": T, "tests/test_b.py": T, ".hidden/test_c.py": T}, ["tests"]),
        (
            {"pytest.ini": "[pytest]\ntestpaths = t*s/unit", "tests/unit/test_a.py": T, "test/test_b.py": T},
            ["tests/unit"],
        ),
        ({"pyproject.toml": "[tool.pytest.ini_options]\ntestpaths=['gone']", "tests/test_a.py": T}, ["tests"]),
        ({"setup.cfg": "[tool:pytest]\npython_files = check_*.py", "checks/check_a.py": T}, ["checks/check_a.py"]),
    ],
)
def test_tests_are_found(contents: dict[str, str], paths: list[str]) -> None:
    suite = find_suite(files(contents))
    assert suite is not None
    assert sorted(suite.paths) == paths
    assert suite.arguments()[-len(paths) :] == suite.paths


def test_no_tests_are_no_suite_and_a_users_arguments_win() -> None:
    assert find_suite(files({"tiny/core.py": "", "tests/data.txt": ""})) is None
    chosen = find_suite(files({"tests/test_a.py": T}), ("-k", "fast", "other"))
    assert chosen is not None
    assert chosen.arguments()[-3:] == ("-k", "fast", "other")


@pytest.mark.parametrize(
    ("given", "kept", "plain"),
    [
        ("--cov=tiny --cov-report term -q --strict-markers", "-q --strict-markers", ""),
        ("-n 4 --dist loadfile -ra --doctest-modules", "-ra --doctest-modules", "--doctest-modules"),
        ("-n4 --no-header -p xdist -p my.plugin", "--no-header -p my.plugin", "-p my.plugin"),
        ("-m 'not slow' --maxfail=1 -x -W error", "-m 'not slow' -W error", "-m 'not slow' -W error"),
        ("--random-order --asyncio-mode=auto --import-mode importlib", "--asyncio-mode=auto --import-mode importlib",
         "--import-mode importlib"),
    ],
)  # fmt: skip
def test_options_that_are_no_part_of_what_a_suite_says_go(given: str, kept: str, plain: str) -> None:
    assert usable(given) == kept
    assert usable(given, plain=True) == plain


def test_test_files_are_tests_with_all_that_belongs_to_them_and_no_source() -> None:
    found = files(
        dict.fromkeys(("tests/data/x.json", "tests/test_a.py", "tiny/core.py", "conftest.py", "tiny/test_b.py"), T)
    )
    suite = find_suite(found)
    assert suite is not None
    assert belonging(found, suite) == ("conftest.py", "tests/data/x.json", "tests/test_a.py", "tiny/test_b.py")
