"""What stands beside the tests of teachers: the loopback server, simulated ones, and the agent tests' box."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest


def _module(path: str) -> Any:
    """A module of the tests, by its path from the folder of all tests."""
    place = Path(__file__).parent.parent / path
    spec = importlib.util.spec_from_file_location(place.stem, place)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def server() -> Any:
    """The module server.py."""
    return _module("teachers/server.py")


@pytest.fixture(scope="session")
def simulated() -> Any:
    """The module simulated.py."""
    return _module("teachers/simulated.py")


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Any]:
    """A real bash in a folder of its own; `box.root` is the workdir."""
    async with _module("agent/localbox.py").local_box(tmp_path) as opened:
        yield opened
