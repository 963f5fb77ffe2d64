"""What the tests of calls share: a server that counts what it is asked, and stages that ask."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def server() -> Any:
    """The module server.py of the tests of teachers."""
    spec = importlib.util.spec_from_file_location("server", HERE.parent / "teachers" / "server.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def quiz(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of stages, found by its name as `datafactory` finds it."""
    monkeypatch.syspath_prepend(str(HERE / "extension"))
    import quiz as module

    module.OPENED.clear()
    return module
